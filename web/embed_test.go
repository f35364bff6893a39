package web

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestManifestOfAnEmptyTreeSaysThatNothingWasBuilt(t *testing.T) {
	_, err := Manifest(fstest.MapFS{".gitkeep": {}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error is %v, want fs.ErrNotExist", err)
	}
	for _, want := range []string{`href="tel:114"`, "npm run build"} {
		if !strings.Contains(Missing, want) {
			t.Errorf("the page for a missing build does not say %q", want)
		}
	}
}

// Every file that the manifest names is there, so no page is served that asks
// for something the program does not have.
func TestManifestNamesOnlyFilesThatWereBuilt(t *testing.T) {
	files := Files()
	b, err := Manifest(files)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("screens are not built")
	}
	if err != nil {
		t.Fatal(err)
	}
	named := []string{"/sw.js", "/manifest.webmanifest", b.Map.JS, b.Map.Worker, b.Map.CSS}
	for _, p := range []*Page{b.Resident, b.Console} {
		if p != nil {
			named = append(append(append(named, p.JS, p.CSS), p.Pre...), p.Lazy...)
		}
	}
	for _, url := range named {
		for _, path := range []string{url, url + ".br"} {
			if st, err := fs.Stat(files, strings.TrimPrefix(path, "/")); err != nil || st.Size() == 0 {
				t.Errorf("%s is named but not there (%v)", path, err)
			}
		}
	}
}
