package audit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// mostBody bounds what a witness reads: a checkpoint and at most 63 hashes.
const mostBody = 16 << 10

// mostHashes is how many lines a consistency proof may have: C2SP tlog-witness.
const mostHashes = 63

// Witness is the independent body: it signs a log's checkpoint when it grew out
// of the last one that it signed, and never two histories. It remembers one file
// for each log, on disk before it answers. It serves POST /add-checkpoint.
type Witness struct {
	dir string
	key *Cosigner
	now func() time.Time

	mu   sync.Mutex
	logs map[string]note.Verifier // by origin
}

// NewWitness is a witness for the logs with these public keys; what it signed last
// is kept in dir.
func NewWitness(dir string, key *Cosigner, now func() time.Time, logs ...note.Verifier) *Witness {
	w := &Witness{dir: dir, key: key, now: now, logs: map[string]note.Verifier{}}
	for _, v := range logs {
		w.logs[v.Name()] = v
	}
	return w
}

// ServeHTTP implements http.Handler: C2SP tlog-witness.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/add-checkpoint" || r.Method != http.MethodPost {
		http.NotFound(rw, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, mostBody))
	if err != nil {
		http.Error(rw, "too large", http.StatusBadRequest)
		return
	}
	status, answer := w.add(body)
	switch status {
	case http.StatusOK:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	case http.StatusConflict:
		rw.Header().Set("Content-Type", "text/x.tlog.size")
	default:
		http.Error(rw, answer, status)
		return
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, answer) // the client has gone: nobody to tell
}

// add judges one request.
func (w *Witness) add(body []byte) (status int, answer string) {
	old, proof, signed, err := parseAdd(string(body))
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	origin, _, _ := strings.Cut(signed, "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	v, known := w.logs[origin]
	if !known {
		return http.StatusNotFound, "this log is not known here"
	}
	c, _, err := OpenCheckpoint([]byte(signed), v)
	if err != nil {
		return http.StatusForbidden, "not signed by the log's key"
	}
	if old > c.Size {
		return http.StatusBadRequest, "the old size is above the new one"
	}
	last, err := w.last(origin)
	if err != nil {
		return http.StatusInternalServerError, "what was signed last cannot be read"
	}
	if old != last.Size || old == c.Size && old > 0 && c.Root != last.Root {
		return http.StatusConflict, fmt.Sprintf("%d\n", last.Size)
	}
	if !grew(last, c, proof) {
		return http.StatusUnprocessableEntity, "this log did not grow out of the one that was signed"
	}
	if err := writeSynced(w.file(origin), []byte(c.Text())); err != nil {
		return http.StatusInternalServerError, "it cannot be remembered, so it is not signed"
	}
	return http.StatusOK, w.key.Cosign(c.Text(), w.now())
}

// grew reports whether proof shows that c is last with more leaves.
func grew(last, c Checkpoint, proof tlog.TreeProof) bool {
	switch {
	case c.Size == 0:
		empty, err := tlog.TreeHash(0, nil)
		return err == nil && c.Root == empty && len(proof) == 0
	case last.Size == 0 || last.Size == c.Size:
		return len(proof) == 0
	}
	return tlog.CheckTree(proof, c.Size, c.Root, last.Size, last.Root) == nil
}

func parseAdd(body string) (old int64, proof tlog.TreeProof, signed string, err error) {
	head, signed, ok := strings.Cut(body, "\n\n")
	lines := strings.Split(head, "\n")
	text, isOld := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(text, 10, 64)
	if !ok || !isOld || err != nil || old < 0 || strconv.FormatInt(old, 10) != text || len(lines)-1 > mostHashes {
		return 0, nil, "", errors.New("not an add-checkpoint request")
	}
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return 0, nil, "", errors.New("a line of the proof is no hash")
		}
		proof = append(proof, h)
	}
	return old, proof, signed, nil
}

func (w *Witness) file(origin string) string {
	return filepath.Join(w.dir, url.PathEscape(origin)+".checkpoint")
}

// last is what was signed last; the zero Checkpoint when nothing was.
func (w *Witness) last(origin string) (Checkpoint, error) {
	text, err := os.ReadFile(w.file(origin))
	if errors.Is(err, os.ErrNotExist) {
		return Checkpoint{}, nil
	}
	if err != nil {
		return Checkpoint{}, err
	}
	return ParseCheckpoint(string(text))
}
