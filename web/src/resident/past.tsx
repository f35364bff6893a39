// A closed incident: what happened and how fast, never who was to blame.
import { t as common } from '../lib/i18n'
import { group, me } from '../lib/live'
import { hm, hms, mmss, ms } from '../lib/time'
import type { Incident, TimelineEntry } from '../lib/types'
import { HouseGlyph, Icon, after, kindIcon, seat } from '../lib/ui'
import { l } from './later'
import { danger, past, whose } from './model'
import { Heading, Tabs, Top } from './parts'

export function Past({ i }: { i: Incident }) {
  const c = i.closed!, homes = group.value?.id === i.group ? group.value.homes : []
  return <><Top /><main class="page past" data-testid="past" data-incident={i.id}>
    <div class="hero over"><span class="waves" aria-hidden="true"><Icon n={kindIcon[i.category]} size={40} /></span><div><Heading cls="h">{l('over')}</Heading><p>{i.mode === 'live' ? danger(i.category) : common(i.mode)}. {common('cause_' + c.cause)}.</p></div></div>
    <p class="sub">{c.by ? l('closedBy', { name: c.by, t: hm(c.at) }) : l('closedAuto', { t: hm(c.at) })}{c.note && `: ${c.note}`}</p>
    <button type="button" class="big plain" data-testid="past-done" onClick={() => { past.value = null }}><Icon n="check" />{l('pastBack')}</button>
    <Times i={i} />
    <section class="card" aria-labelledby="rl"><h2 id="rl">{l('roll')}</h2><ul class="homes">{homes.map((h) => { const s = seat(i, h, me.value?.home ?? ''), r = i.homes.find((x) => x.home === h.id)
      return <li key={h.id}><HouseGlyph look={s.look} icon={s.icon} /><span><b>{h.name}</b><span class="why">{r?.answer || i.origins.some((o) => o.home === h.id) ? s.word : l('noAnswer')}{r?.answer && `, ${after(r.seconds ?? 0)}`}</span></span></li> })}</ul></section>
    <section class="card" aria-labelledby="sy"><h2 id="sy">{l('story')}</h2><ol class="story">{(i.timeline ?? []).map((e, n) => <li key={n} class={e.tone}><time class="num">{hms(e.at)}</time><span>{told(e)}</span></li>)}</ol></section>
  </main><Tabs /></>
}

// Times: first answer, half and all of the homes that were called, in seconds from the opening.
function Times({ i }: { i: Incident }) {
  const others = i.homes.filter((r) => !i.origins.some((o) => o.home === r.home)), asked = others.length, said = others.filter((r) => r.answer).map((r) => r.seconds ?? 0).sort((a, b) => a - b)
  const at = (n: number) => (n > 0 && said.length >= n ? after(said[n - 1]) : l('notYet'))
  return <dl class="card times"><div><dt>{l('opened')}</dt><dd class="num">{hms(i.opened_at)}</dd></div><div><dt>{l('lasted')}</dt><dd class="num">{mmss((ms(i.closed!.at) - ms(i.opened_at)) / 1000)}</dd></div>
    <div><dt>{l('firstAnswer')}</dt><dd>{at(1)}</dd></div><div><dt>{l('half')}</dt><dd>{at(Math.ceil(asked / 2))}</dd></div><div><dt>{l('all')}</dt><dd>{at(asked)}</dd></div></dl>
}

function told(e: TimelineEntry): string {
  const a = e.args ?? {}, home = e.home ? whose(e.home) : ''
  return l(e.key, { ...a, home: home || l('somebody'), by: e.by || home || l('somebody'), what: common(String(a.category ?? '')), cause: common('cause_' + a.cause) }) || common(e.tone) || e.key
}
