package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// media gives content types that do not depend on the machine's own table.
var media = map[string]string{
	".br":          "",
	".css":         "text/css; charset=utf-8",
	".geojson":     "application/geo+json",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".mjs":         "text/javascript; charset=utf-8",
	".mp3":         "audio/mpeg",
	".ogg":         "audio/ogg",
	".pbf":         "application/x-protobuf",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// asset is one file, read once.
type asset struct {
	plain, brotli []byte // brotli: nil when there is no "<name>.br"
	tag           string // entity tag of plain, without quotes
	media         string
	forever       bool
}

// Assets serves every file of files at "/" + its path, except those of which
// skip (may be nil) is true. A file under "assets/" has its hash in its name and
// is kept by browsers for ever; the others are asked for again. "<name>.br" is
// sent instead of "<name>" to who understands brotli. A file of an unknown kind
// is an error.
func (k *Kit) Assets(files fs.FS, skip func(name string) bool) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".br") || strings.HasPrefix(d.Name(), ".") || skip != nil && skip(name) {
			return err
		}
		a, err := readAsset(files, name)
		if err != nil {
			return fmt.Errorf("serve %s: %w", name, err)
		}
		k.Handle(http.MethodGet, "/"+name, "file", a.serve)
		k.routes[len(k.routes)-1].Static = true
		return nil
	})
}

func readAsset(files fs.FS, name string) (*asset, error) {
	kind, ok := media[path.Ext(name)]
	if !ok {
		return nil, fmt.Errorf("no content type for %q", path.Ext(name))
	}
	plain, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	a := &asset{plain: plain, tag: hex.EncodeToString(sum[:12]), media: kind, forever: strings.HasPrefix(name, "assets/")}
	if b, err := fs.ReadFile(files, name+".br"); err == nil {
		a.brotli = b
	}
	return a, nil
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", a.media)
	h.Set("Cache-Control", "no-cache")
	if a.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, tag := a.plain, a.tag
	if a.brotli != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsBrotli(r) {
			h.Set("Content-Encoding", "br")
			body, tag = a.brotli, a.tag+"-br"
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// acceptsBrotli reads Accept-Encoding; "br;q=0" is a refusal. Who asks for a
// part of a file gets a part of the plain one.
func acceptsBrotli(r *http.Request) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, weighed := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == "br" {
			return !weighed || strings.Trim(strings.TrimPrefix(strings.TrimSpace(q), "q="), "0.") != ""
		}
	}
	return false
}
