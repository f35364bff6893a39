// Builds the screens into dist/, which the Go program embeds. Run: npm run build
// While working on one of them: node build.mjs [--out DIR] [resident] [console]
//
//   assets/<name>-<hash>.js|css|woff2   bundles; the name changes with the content, so browsers keep them for ever
//   assets/map/<version>/               MapLibre as it was published, unbundled, so that its worker obeys the CSP
//   sw.js, manifest.webmanifest, icons  at fixed addresses
//   manifest.json                       which files a page needs: see web/embed.go
//   *.br                                the same file, compressed once here instead of at every request
//
// A bundle above its budget fails the build.
import { build, transform } from 'esbuild'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { brotliCompressSync, constants } from 'node:zlib'
import { icon } from './icon.mjs'

const root = import.meta.dirname
const { values: { out }, positionals: only } = parseArgs({ options: { out: { type: 'string', default: 'dist' } }, allowPositionals: true })
const dist = await mkdtemp(join(tmpdir(), 'keng-web-')) // becomes out when everything is well

// Budgets in bytes as sent (brotli). js counts what the page must load before it can draw: the entry and the chunks it imports.
const budgets = {
  resident: { js: 25_000, css: 6_000 },
  console: { js: 45_000, css: 12_000 },
}

// Old phones of elders: what Android 7 and iOS 15.4 can still be updated to.
const target = ['chrome94', 'firefox101', 'safari15.4']

const common = {
  absWorkingDir: root, bundle: true, minify: true, target, legalComments: 'none', charset: 'utf8',
  jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning', metafile: true,
}

// Each page is bundled on its own: nobody uses both, and a chunk that both share is one more file before the first picture.
async function bundle(name) {
  if (only.length && !only.includes(name)) return undefined
  const r = await build({
    ...common, entryPoints: { [name]: `src/${name}/main.tsx` }, outdir: dist, format: 'esm', splitting: true,
    entryNames: 'assets/[name]-[hash]', chunkNames: 'assets/[name]-[hash]', assetNames: 'assets/[name]-[hash]', publicPath: '/',
    loader: { '.woff2': 'file' }, plugins: [lazyStyle],
  })
  return page(r.metafile.outputs, name)
}

// lazyStyle makes of a style that ends in .lazy.css a file of its own; whoever imports it gets its address.
const lazyStyle = {
  name: 'lazy style',
  setup(b) {
    b.onLoad({ filter: /\.lazy\.css$/ }, async (a) => ({ contents: (await transform(await readFile(a.path, 'utf8'), { loader: 'css', minify: true, target })).code, loader: 'file' }))
  },
}

// page says what an entry needs: its script, its style, the chunks it imports at once (pre) and those it may load later (lazy).
function page(outputs, name) {
  const [js, out] = Object.entries(outputs).find(([, o]) => o.entryPoint === `src/${name}/main.tsx`)
  const reach = (from, kinds, into) => {
    for (const i of outputs[from].imports) if (!i.external && outputs[i.path] && kinds.includes(i.kind) && !into.has(i.path)) { into.add(i.path); reach(i.path, kinds, into) }
    return into
  }
  const pre = reach(js, ['import-statement'], new Set()), all = reach(js, ['import-statement', 'dynamic-import'], new Set())
  const lazy = [...all].filter((p) => p !== js && !pre.has(p)), url = (p) => '/' + relative(dist, join(root, p))
  return { js: url(js), css: out.cssBundle ? url(out.cssBundle) : '', pre: [...pre].map(url), lazy: lazy.map(url) }
}

// worker bundles sw.js with the list of files that the resident's page needs to open without a server.
async function worker(resident) {
  const shell = [resident.js, resident.css, ...resident.pre, ...resident.lazy]
  const version = createHash('sha256').update(JSON.stringify(shell)).update(await readFile(join(root, 'src/sw.ts'))).digest('hex').slice(0, 12)
  await build({ ...common, entryPoints: ['src/sw.ts'], outfile: join(dist, 'sw.js'), format: 'iife', define: { SHELL: JSON.stringify(shell), BUILD: JSON.stringify(version) } })
  return version
}

async function map() {
  const pkg = join(root, 'node_modules/maplibre-gl'), { version } = JSON.parse(await readFile(join(pkg, 'package.json')))
  const to = `assets/map/${version}`
  await mkdir(join(dist, to), { recursive: true })
  for (const f of ['maplibre-gl.mjs', 'maplibre-gl-shared.mjs', 'maplibre-gl-worker.mjs', 'maplibre-gl.css']) await cp(join(pkg, 'dist', f), join(dist, to, f))
  return { js: `/${to}/maplibre-gl.mjs`, worker: `/${to}/maplibre-gl-worker.mjs`, css: `/${to}/maplibre-gl.css` }
}

async function install() {
  const icons = []
  for (const [size, purpose] of [[180, 'any'], [192, 'any'], [512, 'any'], [512, 'maskable']]) {
    const name = `assets/icon-${purpose === 'any' ? '' : 'maskable-'}${size}.png`
    await writeFile(join(dist, name), icon(size, purpose === 'maskable'))
    if (size > 180) icons.push({ src: `/${name}`, sizes: `${size}x${size}`, type: 'image/png', purpose })
  }
  await writeFile(join(dist, 'manifest.webmanifest'), JSON.stringify({
    name: 'Kẻng', short_name: 'Kẻng', description: 'Hàng xóm báo động cho nhau', lang: 'vi', id: '/', start_url: '/', scope: '/', display: 'standalone',
    background_color: '#f6f2ea', theme_color: '#f6f2ea', icons,
  }))
}

// publish puts what was built in its place, file by file, and only then removes what was there before: whoever embeds the folder meanwhile
// finds whole files. A build that failed leaves the last good one alone.
async function publish(to) {
  const files = async (dir) => (await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])).filter((e) => e.isFile()).map((e) => relative(dir, join(e.parentPath ?? e.path, e.name)))
  const fresh = await files(dist), old = await files(to)
  for (const f of fresh) {
    await mkdir(dirname(join(to, f)), { recursive: true })
    await cp(join(dist, f), join(to, f) + '.part')
    await rename(join(to, f) + '.part', join(to, f))
  }
  for (const f of old) if (f !== '.gitkeep' && !fresh.includes(f)) await rm(join(to, f))
  await rm(dist, { recursive: true })
}

const brotli = (b) => brotliCompressSync(b, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: b.length } })

async function compress(dir) {
  for (const e of await readdir(dir, { withFileTypes: true })) {
    const p = join(dir, e.name)
    if (e.isDirectory()) await compress(p)
    else if (/\.(m?js|css|webmanifest)$/.test(e.name)) await writeFile(p + '.br', brotli(await readFile(p)))
  }
}

async function weigh(pages) {
  const size = async (urls) => { let n = 0; for (const u of urls) n += (await readFile(join(dist, u + '.br'))).length; return n }
  const over = []
  for (const [name, limit] of Object.entries(budgets)) {
    const p = pages[name]
    if (!p) continue
    const js = await size([p.js, ...p.pre]), css = p.css ? await size([p.css]) : 0, lazy = await size(p.lazy)
    console.log(`${name.padEnd(9)} js ${js} of ${limit.js} B br, css ${css} of ${limit.css} B br, lazy ${lazy} B br`)
    if (js > limit.js) over.push(`${name}: ${js} B of JavaScript, ${limit.js} allowed`)
    if (css > limit.css) over.push(`${name}: ${css} B of CSS, ${limit.css} allowed`)
  }
  if (over.length) throw new Error('over budget:\n  ' + over.join('\n  '))
}

const pages = { resident: await bundle('resident'), console: await bundle('console') }
const version = pages.resident ? await worker(pages.resident) : ''
const m = await map()
await install()
await writeFile(join(dist, 'manifest.json'), JSON.stringify({ version, ...pages, map: m }, null, 1))
await compress(dist)
await weigh(pages)
await publish(resolve(root, out))
