// Night from 18 to 6 o'clock in Vietnam, unless the officer chose.
import { computed, effect, signal } from '@preact/signals'
import { now } from '../lib/live'

export type Choice = 'auto' | 'night' | 'day'
const KEPT = 'keng.desk.theme'

function kept(): Choice { try { const v = localStorage.getItem(KEPT); return v === 'night' || v === 'day' ? v : 'auto' } catch { return 'auto' } }
export const choice = signal<Choice>(kept())

const hour = computed(() => new Date(now.value + 7 * 3600e3).getUTCHours())
export const theme = computed<'night' | 'day'>(() => (choice.value !== 'auto' ? choice.value : hour.value >= 18 || hour.value < 6 ? 'night' : 'day'))

export function choose(c: Choice) { choice.value = c; try { localStorage.setItem(KEPT, c) } catch { /* chosen for this page only */ } }
export const toggle = () => choose(theme.value === 'night' ? 'day' : 'night')

export const apply = () => effect(() => { document.documentElement.dataset.theme = theme.value })
