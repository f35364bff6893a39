// Signs that only the desk needs; the rest come from the shared set.
import type { ComponentChildren } from 'preact'
import { Icon } from '../lib/ui'

const P: Record<string, ComponentChildren> = {
  sun: <><circle cx="12" cy="12" r="4" /><path d="M12 2.500v2.500M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300L7 7M17 17l1.700 1.700M5.300 18.700L7 17M17 7l1.700-1.700" /></>,
  copy: <><rect x="8.500" y="8.500" width="11.500" height="11.500" rx="2" /><path d="M15.500 5.500V5a1.500 1.500 0 0 0-1.500-1.500H5A1.500 1.500 0 0 0 3.500 5v9A1.500 1.500 0 0 0 5 15.500h.5" /></>,
  print: <><path d="M7 9V3.500h10V9M7 17H4.500V9.500h15V17H17" /><path d="M7 14h10v6.500H7z" /></>,
  find: <><circle cx="10.500" cy="10.500" r="6.500" /><path d="M15.500 15.500L21 21" /></>,
  map: <path d="M9 4L3.500 6.500v13L9 17l6 3 5.500-2.500v-13L15 7zM9 4v13M15 7v13" />,
  book: <path d="M5 4.500h11a3 3 0 0 1 3 3V20H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11M9 8.500h6" />,
  keys: <><rect x="2.500" y="6" width="19" height="12.500" rx="2" /><path d="M6 10h.1M9.500 10h.1M13 10h.1M16.500 10h.1M7.500 14.500h9" /></>,
  horn: <><path d="M4 10v4h3l9 5V5l-9 5z" /><path d="M19 10a3 3 0 0 1 0 4M7 14v5h2.500" /></>,
  disk: <><rect x="3.500" y="4.500" width="17" height="6" rx="1.500" /><rect x="3.500" y="13.500" width="17" height="6" rx="1.500" /><path d="M7 7.500h.1M7 16.500h.1" /></>,
  chip: <><rect x="6.500" y="6.500" width="11" height="11" rx="2" /><path d="M10 6.500v-3M14 6.500v-3M10 20.500v-3M14 20.500v-3M6.500 10h-3M6.500 14h-3M20.500 10h-3M20.500 14h-3" /></>,
  spread: <path d="M12 12V4M12 12l7 4M12 12l-7 4M9.500 6.500L12 4l2.500 2.500M16.300 17.300l2.700-1.300-.3-3M7.700 17.300L5 16l.3-3" />,
}

export const Sign = ({ n, size }: { n: string; size?: number }) => (P[n]
  ? <svg class="ico" viewBox="0 0 24 24" aria-hidden="true" style={size ? `width:${size}px;height:${size}px` : undefined}>{P[n]}</svg>
  : <Icon n={n} size={size} />)
