// The map itself, loaded only when the pane is open. MapLibre comes as its own unbundled module, so that its
// worker is a file of ours and the content security policy stays 'self'.
import { effect } from '@preact/signals'
import type * as ML from 'maplibre-gl'
import { version } from 'maplibre-gl/package.json'
import { render } from 'preact'
import { get } from '../lib/api'
import { lang } from '../lib/i18n'
import { groups, map as conf, me } from '../lib/live'
import type { Group, Home, Incident } from '../lib/types'
import { HouseGlyph, kindIcon } from '../lib/ui'
import { calmly } from './bits'
import { current, groupOf, homeOf, open, pick } from './desk'
import { Sign } from './icons'
import { stateWord } from './list'
import { baseFailed, boundsFailed, looks, near, state } from './map'
import { waits } from './order'
import { kind, where } from './place'
import { line, short } from './roll'
import { say } from './say'
import { trust } from '../lib/trust'
import { theme } from './theme'

type Lib = typeof ML
type Style = Exclude<ML.MapOptions['style'], string | undefined>
type Feature = { type: 'Feature'; properties: Record<string, unknown>; geometry: { type: string; coordinates: unknown } | null }
type Collection = { type: 'FeatureCollection'; features: Feature[] }
type Point = [number, number] // longitude, latitude

const NEAR = 15.5 // zoom from which single homes are drawn
const folder = `/assets/map/${version}/`
const none: Collection = { type: 'FeatureCollection', features: [] }
const css = (n: string) => getComputedStyle(document.documentElement).getPropertyValue(n).trim()
const calm = () => matchMedia('(prefers-reduced-motion:reduce)').matches

const canDraw = () => { try { return !!document.createElement('canvas').getContext('webgl2') } catch { return false } }

// MapLibre's worker is ours; what a base map says of its makers is shown as text.
let trusted = false
function trustMap() {
  if (trusted) return
  trusted = true
  const ours = location.origin + folder
  trust({ createScriptURL: (u) => (new URL(u, location.href).href.startsWith(ours) ? u : null), createHTML: (s) => s.replace(/<[^>]*>/g, '').replace(/</g, '&lt;') })
}

export async function mount(el: HTMLDivElement): Promise<() => void> {
  if (!canDraw()) { state.value = 'nowebgl'; return () => {} }
  trustMap()
  const sheet = document.querySelector('link[data-map]') ?? Object.assign(document.createElement('link'), { rel: 'stylesheet', href: folder + 'maplibre-gl.css' })
  sheet.setAttribute('data-map', '')
  document.head.prepend(sheet)
  const [L, bounds, base] = await Promise.all([import(/* @vite-ignore */ folder + 'maplibre-gl.mjs') as Promise<Lib>, boundaries(), baseStyle(), fonts()])
  const view = new View(L, el, bounds, base)
  return () => view.stop()
}

// fonts: labels are drawn from the page's own font; it must be there before the first letter is.
const fonts = () => Promise.race([document.fonts.load('600 16px "Keng Map"', 'Hoà ếộ').catch(() => []), new Promise((ok) => setTimeout(ok, 1500))])

let kept: Collection | undefined
async function boundaries(): Promise<Collection> {
  boundsFailed.value = false
  if (!conf.peek().has_boundaries) return none
  try { return (kept ??= await get<Collection>('/api/v1/boundaries')) } catch { boundsFailed.value = true; return none }
}

async function baseStyle(): Promise<Style | null> {
  baseFailed.value = false
  const url = conf.peek().style_url
  if (!url) return null
  try {
    const r = await fetch(url)
    if (!r.ok) throw new Error(String(r.status))
    return (await r.json()) as Style
  } catch { baseFailed.value = true; return null }
}

// Geometry, only as much as is needed to look at the right place.

type Ring = Point[]
const rings = (f: Feature): Ring[] => {
  const c = f.geometry?.coordinates
  return f.geometry?.type === 'Polygon' ? [(c as Ring[])[0]] : f.geometry?.type === 'MultiPolygon' ? (c as Ring[][]).map((p) => p[0]) : []
}

// middle is the centroid of a ring, and twice its signed area in square degrees.
function middle(r: Ring): { at: Point; size: number } {
  let a = 0, x = 0, y = 0
  for (let n = 0; n < r.length - 1; n++) { const k = r[n][0] * r[n + 1][1] - r[n + 1][0] * r[n][1]; a += k; x += (r[n][0] + r[n + 1][0]) * k; y += (r[n][1] + r[n + 1][1]) * k }
  return { at: a ? [x / (3 * a), y / (3 * a)] : r[0], size: Math.abs(a) }
}

function labels(c: Collection): Collection {
  return { type: 'FeatureCollection', features: c.features.flatMap((f) => {
    const best = rings(f).map(middle).sort((a, b) => b.size - a.size)[0]
    return best ? [{ type: 'Feature' as const, properties: { name: f.properties.name, code: f.properties.code }, geometry: { type: 'Point', coordinates: best.at } }] : []
  }) }
}

type Box = [Point, Point]
function boxOf(points: Point[]): Box | null {
  if (!points.length) return null
  const x = points.map((p) => p[0]), y = points.map((p) => p[1])
  return [[Math.min(...x), Math.min(...y)], [Math.max(...x), Math.max(...y)]]
}

const placed = (g: Group | null): Home[] => g?.homes.filter((h) => h.placed) ?? []
const at = (h: Home): Point => [h.lon, h.lat]
function centre(g: Group | null): Point | null {
  const b = boxOf(placed(g).map(at))
  return b && [(b[0][0] + b[1][0]) / 2, (b[0][1] + b[1][1]) / 2]
}

// place is where an incident stands on the map: its first origin with a position, else the middle of its group.
function place(i: Incident): Point | null {
  for (const o of i.origins) { const h = homeOf(o.home); if (h?.placed) return at(h) }
  return centre(groupOf(i.group))
}

function dots(): Collection {
  return { type: 'FeatureCollection', features: groups.value.flatMap((g) => { const c = centre(g); return c ? [{ type: 'Feature' as const, properties: { id: g.id, ok: g.readiness.red + g.readiness.amber === 0 }, geometry: { type: 'Point', coordinates: c } }] : [] }) }
}

interface Pin { marker: ML.Marker; el: HTMLElement; mark: string; at: string }

class View {
  private map: ML.Map
  private pins = new Map<string, Pin>()
  private homes: { marker: ML.Marker; el: HTMLElement; id: string }[] = []
  private undo: (() => void)[] = []
  private shown = ''

  constructor(private L: Lib, el: HTMLDivElement, private bounds: Collection, private base: Style | null) {
    const box = this.area()
    const m = (this.map = new L.Map({
      container: el, style: this.style(), attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: 0, maxZoom: 19,
      ...(box ? { bounds: box, fitBoundsOptions: { padding: 28, maxZoom: 14 } } : { center: [105.8, 16.2] as Point, zoom: 4.6 }),
      locale: { 'Map.Title': say('m.label'), 'NavigationControl.ZoomIn': say('m.zoomin'), 'NavigationControl.ZoomOut': say('m.zoomout') },
    }))
    m.touchZoomRotate.disableRotation()
    m.keyboard.disableRotation()
    m.addControl(new L.NavigationControl({ showCompass: false }), 'top-right')
    m.addControl(new L.ScaleControl({ maxWidth: 90 }), 'bottom-right')
    if (base) m.addControl(new L.AttributionControl({ compact: true }), 'bottom-right')
    m.on('zoom', () => { near.value = m.getZoom() >= NEAR })
    m.once('load', () => this.begin())
    const sized = new ResizeObserver(() => m.resize())
    sized.observe(el)
    this.undo.push(() => sized.disconnect())
  }

  stop() { for (const f of this.undo) f(); this.clearHomes(); near.value = false; this.map.remove() }

  // area is the officer's own unit, else every home that has a position.
  private area(): Box | null {
    const own = this.bounds.features.find((f) => f.properties.code === me.peek()?.unit)
    return boxOf(own ? rings(own).flat() : groups.peek().flatMap((g) => placed(g).map(at)))
  }

  private begin() {
    const m = this.map
    let first = true
    this.undo.push(
      effect(() => { theme.value; if (!first) m.setStyle(this.style()) }),
      effect(() => { const d = dots(); (m.getSource('groups') as ML.GeoJSONSource | undefined)?.setData(d as never) }),
      calmly(() => [open.value, current.value, lang.value], () => this.drawPins()),
      calmly(() => [current.value, groups.value, lang.value], () => this.drawHomes()),
      effect(() => { const id = current.value?.id ?? ''; if (id !== this.shown) { this.shown = id; if (!first) this.follow() } }),
      effect(() => { if (looks.value && !first) this.look() }),
    )
    first = false
    state.value = 'ready'
  }

  // look is the key M: near at the incident, or far over the whole area.
  private look() {
    if (this.map.getZoom() < NEAR && this.close()) return
    const box = this.area()
    if (box) this.map.fitBounds(box, { padding: 28, maxZoom: 14, duration: calm() ? 0 : 500 })
  }

  private close(): boolean {
    const i = current.peek(), g = i && groupOf(i.group), box = boxOf(placed(g).map(at))
    if (!box) return false
    this.map.fitBounds(box, { padding: 70, maxZoom: 18, minZoom: NEAR, duration: calm() ? 0 : 600 } as ML.FitBoundsOptions)
    return true
  }

  // follow keeps the chosen incident in sight without throwing the view about.
  private follow() {
    const i = current.peek(), p = i && place(i)
    if (!p) return
    if (near.peek()) { this.close(); return }
    const { x, y } = this.map.project(p), box = this.map.getContainer()
    if (x < 60 || y < 60 || x > box.clientWidth - 60 || y > box.clientHeight - 60) this.map.easeTo({ center: p, duration: calm() ? 0 : 350 })
  }

  private drawPins() {
    const list = open.peek(), cur = current.peek(), all = cur && !cur.closed && !list.includes(cur) ? [...list, cur] : list
    const stack = new Map<string, number>(), ids = new Set<string>()
    for (const i of all) {
      const p = place(i)
      if (!p) continue
      ids.add(i.id)
      const n = stack.get(i.group) ?? 0
      stack.set(i.group, n + 1)
      this.pin(i, p, n, cur?.id === i.id)
    }
    for (const [id, p] of this.pins) if (!ids.has(id)) { p.marker.remove(); this.pins.delete(id) }
  }

  private pin(i: Incident, p: Point, n: number, on: boolean) {
    let x = this.pins.get(i.id)
    if (!x) {
      const el = document.createElement('button')
      el.type = 'button'; el.tabIndex = -1
      el.addEventListener('click', () => pick(i.id))
      x = { el, marker: new this.L.Marker({ element: el }).setLngLat(p).addTo(this.map), mark: '', at: '' }
      this.pins.set(i.id, x)
    }
    const where_ = p.join() + n
    if (x.at !== where_) { x.at = where_; x.marker.setLngLat(p).setOffset([n * 26, n ? -6 : 0]) }
    const mark = `${i.category} ${stateWord(i)} ${on} ${waits(i)} ${i.mode}`
    if (x.mark === mark) return
    x.mark = mark
    x.el.className = `maplibregl-marker maplibregl-marker-anchor-center pin${waits(i) ? ' new' : ''}${on ? ' on' : ''}${i.mode === 'live' ? '' : ' dr'}`
    x.el.style.zIndex = on ? '6' : waits(i) ? '5' : '4'
    x.el.setAttribute('aria-label', say('say.sel', { kind: kind(i), home: where(i), state: stateWord(i) }))
    render(<><span class="ha" /><Sign n={kindIcon[i.category]} size={18} /></>, x.el)
  }

  private clearHomes() { for (const h of this.homes) h.marker.remove(); this.homes = [] }

  private drawHomes() {
    const i = current.peek(), list = i && !i.silent ? placed(groupOf(i.group)) : []
    const ids = list.map((h) => h.id).join()
    if (ids !== this.homes.map((h) => h.id).join()) {
      this.clearHomes()
      this.homes = list.map((h) => {
        const el = document.createElement('div')
        return { el, id: h.id, marker: new this.L.Marker({ element: el, anchor: 'bottom' }).setLngLat(at(h)).addTo(this.map) }
      })
    }
    if (!i) return
    list.forEach((h, n) => {
      const l = line(i, h), { el } = this.homes[n]
      el.classList.add('hmk')
      el.dataset.home = h.id; el.dataset.look = l.look
      render(<><HouseGlyph look={l.look} icon={l.icon} /><span class="hn">{short(h.name)}</span><span class="vh">{say('m.homeAt', { home: h.name, state: l.word })}</span></>, el)
    })
  }

  // style is ours above the base map's, when there is one. Without `glyphs` MapLibre draws letters with web fonts.
  private style(): Style {
    const own = me.peek()?.unit ?? '', base = this.base
    const mine = ['==', ['get', 'code'], own]
    const font = base?.glyphs ? fontOf(base) : ['Keng Map']
    const bare: Style['layers'] = base ? [] : [
      { id: 'bg', type: 'background', paint: { 'background-color': css(this.bounds.features.length ? '--map-bg' : '--map-land') } },
      { id: 'land', type: 'fill', source: 'units', paint: { 'fill-color': ['case', mine, css('--map-me'), css('--map-land')] as never } },
    ]
    return {
      version: 8, ...(base ? { glyphs: base.glyphs, sprite: base.sprite } : {}),
      sources: { ...(base?.sources ?? {}), units: { type: 'geojson', data: this.bounds as never }, names: { type: 'geojson', data: labels(this.bounds) as never }, groups: { type: 'geojson', data: dots() as never } },
      layers: [
        ...bare, ...(base?.layers ?? []),
        { id: 'edge', type: 'line', source: 'units', paint: { 'line-color': css('--map-line'), 'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.6, 13, 1.4] } },
        { id: 'own', type: 'line', source: 'units', filter: mine as never, layout: { 'line-join': 'round' }, paint: { 'line-color': css('--map-meline'), 'line-width': 2.2 } },
        { id: 'groups', type: 'circle', source: 'groups', minzoom: 9, maxzoom: NEAR, paint: { 'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 2, 13, 5], 'circle-color': ['case', ['get', 'ok'], css('--map-grp'), css('--map-bg')], 'circle-stroke-color': ['case', ['get', 'ok'], css('--map-bg'), css('--brass-line')], 'circle-stroke-width': ['case', ['get', 'ok'], 1, 2.5] } },
        { id: 'names', type: 'symbol', source: 'names', maxzoom: NEAR, layout: { 'text-field': ['get', 'name'], 'text-size': ['interpolate', ['linear'], ['zoom'], 9, 11, 13, 15], 'text-font': font, 'text-max-width': 8, 'text-padding': 6 }, paint: { 'text-color': css('--map-txt'), 'text-halo-color': css('--map-bg'), 'text-halo-width': 1.4 } },
      ],
    }
  }
}

// fontOf takes a font that the base map's own glyph server has.
function fontOf(base: Style): string[] {
  for (const l of base.layers) if (l.type === 'symbol' && Array.isArray(l.layout?.['text-font'])) return l.layout['text-font'] as string[]
  return ['Open Sans Regular']
}
