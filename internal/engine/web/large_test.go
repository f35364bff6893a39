package web_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
)

// A route that says so takes a larger body, and only that route.
func TestARouteTakesAsMuchAsItSays(t *testing.T) {
	k := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	read := func(w http.ResponseWriter, r *http.Request) error {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return &fault.Error{Op: "test", Kind: fault.Invalid, Key: "fault.too_large", Err: err}
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	const most = 4 * web.BodyLimit
	k.Raw(web.Op{ID: "large", Method: http.MethodPost, Path: "/api/large", Body: most}, "text/plain", read)
	k.Raw(web.Op{ID: "small", Method: http.MethodPost, Path: "/api/small"}, "text/plain", read)
	h := k.Handler()
	for _, c := range []struct {
		path string
		size int
		want int
	}{
		{"/api/large", most, http.StatusNoContent},
		{"/api/large", most + 2, http.StatusBadRequest},
		{"/api/small", web.BodyLimit, http.StatusNoContent},
		{"/api/small", most, http.StatusBadRequest},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://x"+c.path, bytes.NewReader(make([]byte, c.size))))
		if w.Code != c.want {
			t.Errorf("%s with %d bytes: %d, want %d", c.path, c.size, w.Code, c.want)
		}
	}
}
