// Everything that is not needed in the first second, as one chunk.
export { BellTest, CallSheet, MistakeCard, NextStep, Stale, Switcher, Toast, Todo } from './around'
export { Group } from './group'
export { keepFresh } from '../lib/fresh'
export { Behalf, CloseSheet, LeaderActs } from './lead'
export { Found } from './later'
export { More } from './more'
export { Past } from './past'
export { Chat, Pinned, TalkLink } from './talk'

// main is running long before this is read. Naming it here tells the bundler that both need all of it, so that what comes first is one
// file instead of two, and 1.3 kB smaller.
import './main'
