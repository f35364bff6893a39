// Package web holds the built screens: the residents' phone app, the duty
// console, the service worker and the map library. `npm run build` in this
// folder writes them to dist/; without them the program still builds and says
// on its pages what is missing.
package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is what was built, with the addresses that the browser asks for as
// paths: "assets/resident-XXXX.js", "sw.js", "manifest.webmanifest". Beside a
// text file stands "<path>.br", the same bytes compressed with brotli.
// Everything under assets/ has its hash or version in its name and never
// changes; the rest must be asked for again.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: only a broken compiler gets here
	}
	return files
}

// Page is what one page needs, as absolute addresses.
type Page struct {
	JS   string   `json:"js"`   // <script type="module">
	CSS  string   `json:"css"`  // <link rel="stylesheet">
	Pre  []string `json:"pre"`  // <link rel="modulepreload">: chunks that JS imports at once
	Lazy []string `json:"lazy"` // chunks that it may load later
}

// Built lists what was built.
type Built struct {
	Version  string `json:"version"` // of the resident's shell, as its service worker knows it
	Resident *Page  `json:"resident"`
	Console  *Page  `json:"console"`
	Map      struct {
		JS     string `json:"js"`
		Worker string `json:"worker"`
		CSS    string `json:"css"`
	} `json:"map"`
}

// Manifest reads what was built from files. The error of a tree in which
// nothing was built is [fs.ErrNotExist]: show [Missing] then.
func Manifest(files fs.FS) (Built, error) {
	var b Built
	text, err := fs.ReadFile(files, "manifest.json")
	if err != nil {
		return b, fmt.Errorf("read list of screens: %w", err)
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("read list of screens: %w", err)
	}
	return b, nil
}

// Missing is a page for a program that was built without its screens. It works
// without script and style, of which the pages' policy allows none inline, and
// puts the emergency number first.
const Missing = `<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Kẻng</title>
</head>
<body><h1>Kẻng</h1><p><a class="call" href="tel:114">Gọi 114</a></p>
<p>Máy chủ đang chạy nhưng bản này chưa có giao diện. Người cài đặt hãy chạy:</p>
<p lang="en">The server runs, but this build has no screens. Whoever installs it, please run:</p>
<p><code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code></p><p><code>go build ./cmd/keng</code></p></body></html>
`
