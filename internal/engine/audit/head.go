package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	publishEvery = time.Second
	askFor       = 2 * time.Second  // a witness
	restFor      = 30 * time.Second // a witness that did not answer
)

// ErrRewritten says that the log is not the one that was signed: rows were
// changed, or an older copy of the database was put in its place.
var ErrRewritten = errors.New("the log is not the one that was signed before")

// Bystander is a witness as the log sees it.
type Bystander struct {
	URL string // of POST URL/add-checkpoint
	Key note.Verifier
}

// ParseBystander reads "https://witness.example=name+0a1b2c3d+base64".
func ParseBystander(text string) (Bystander, error) {
	at, key, ok := strings.Cut(text, "=")
	if !ok || !strings.HasPrefix(at, "http://") && !strings.HasPrefix(at, "https://") {
		return Bystander{}, errors.New("a witness looks like https://address=name+0a1b2c3d+base64")
	}
	v, err := ParseVerifier(key)
	if err != nil {
		return Bystander{}, err
	}
	if _, is := v.(cosignatureVerifier); !is {
		return Bystander{}, errors.New("that is not the key of a witness")
	}
	return Bystander{strings.TrimSuffix(at, "/"), v}, nil
}

// Head publishes checkpoints: signed by the log's key, then by the witnesses who
// answer. Make it with [NewHead].
type Head struct {
	log      *Log
	signer   note.Signer
	verifier string
	file     string // what was published last
	asked    []*asked
	client   *http.Client
	out      *slog.Logger

	mu  sync.Mutex // held while one checkpoint is made
	now struct {
		sync.Mutex
		c      Checkpoint
		signed []byte
	}
}

// asked is a witness and what it is known to have signed.
type asked struct {
	Bystander
	size  int64
	until time.Time // not asked before
}

// NewHead publishes l under the key in keyFile, which is made for a log called
// name when it is missing. What was published is kept in checkpointFile, so that
// no other history is ever signed.
func NewHead(l *Log, keyFile, checkpointFile, name string, witnesses []Bystander, out *slog.Logger) (*Head, error) {
	signer, verifier, err := LoadKey(keyFile, name)
	if err != nil {
		return nil, err
	}
	h := &Head{log: l, signer: signer, verifier: verifier, file: checkpointFile, out: out, client: &http.Client{Timeout: askFor}}
	for _, w := range witnesses {
		h.asked = append(h.asked, &asked{Bystander: w})
	}
	signed, err := os.ReadFile(checkpointFile) // #nosec G304 -- the operator's own file
	if errors.Is(err, os.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	v, err := ParseVerifier(verifier)
	if err != nil {
		return nil, err
	}
	c, _, err := OpenCheckpoint(signed, v)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	h.now.c, h.now.signed = c, signed
	return h, nil
}

// Verifier is the public key: what everybody needs to check checkpoints.
func (h *Head) Verifier() string { return h.verifier }

// Origin is the name of the log.
func (h *Head) Origin() string { return h.signer.Name() }

// Run publishes each second when the log grew, until ctx ends.
func (h *Head) Run(ctx context.Context) {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		_, _, err := h.Covering(ctx, 0)
		if err != nil && !failed && ctx.Err() == nil {
			h.out.Error("the log of acts could not be signed", slog.Any("err", err))
		}
		failed = err != nil
	}
}

// Published is the newest checkpoint, as everybody may see it; nil before the
// first.
func (h *Head) Published() (Checkpoint, []byte) {
	h.now.Lock()
	defer h.now.Unlock()
	return h.now.c, h.now.signed
}

// Covering is a published checkpoint with at least size leaves, made now when
// there is none; with size 0, one with every leaf that there is.
func (h *Head) Covering(ctx context.Context, size int64) (Checkpoint, []byte, error) {
	if c, signed := h.Published(); size > 0 && c.Size >= size {
		return c, signed, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	old, signed := h.Published() // perhaps somebody made it meanwhile
	n, err := h.log.Size(ctx)
	if err != nil {
		return old, nil, err
	}
	if n < old.Size {
		return old, nil, ErrRewritten
	}
	if signed != nil && n == old.Size {
		return old, signed, nil
	}
	r := hashes{ctx, h.log.db.Read()}
	if err := h.same(r, old); err != nil {
		return old, nil, err
	}
	root, err := tlog.TreeHash(n, r)
	if err != nil {
		return old, nil, fmt.Errorf("hash the log: %w", err)
	}
	c := Checkpoint{h.signer.Name(), n, root}
	signed, err = note.Sign(&note.Note{Text: c.Text()}, h.signer)
	if err != nil {
		return old, nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	signed = append(signed, h.cosignatures(ctx, r, c, signed)...)
	if err := writeSynced(h.file, signed); err != nil {
		return old, nil, fmt.Errorf("keep checkpoint: %w", err)
	}
	h.now.Lock()
	h.now.c, h.now.signed = c, signed
	h.now.Unlock()
	return c, signed, nil
}

// same reports ErrRewritten unless the log still begins as it was signed.
func (h *Head) same(r tlog.HashReader, old Checkpoint) error {
	if old.Size == 0 {
		return nil
	}
	root, err := tlog.TreeHash(old.Size, r)
	if err != nil {
		return fmt.Errorf("hash the log: %w", err)
	}
	if root != old.Root {
		return ErrRewritten
	}
	return nil
}

// cosignatures asks every witness at once and gives the lines of those who signed.
func (h *Head) cosignatures(ctx context.Context, r tlog.HashReader, c Checkpoint, signed []byte) []byte {
	lines := make([][]byte, len(h.asked))
	var wg sync.WaitGroup
	for i, w := range h.asked {
		if time.Now().Before(w.until) {
			continue
		}
		wg.Go(func() {
			line, err := h.ask(ctx, r, w, c, signed)
			if err != nil {
				w.until = time.Now().Add(restFor)
				h.out.Warn("a witness did not sign", slog.String("witness", w.Key.Name()), slog.Any("err", err))
				return
			}
			lines[i] = line
		})
	}
	wg.Wait()
	return bytes.Join(lines, nil)
}

// ask asks one witness, once more when it says what it had signed before.
func (h *Head) ask(ctx context.Context, r tlog.HashReader, w *asked, c Checkpoint, signed []byte) ([]byte, error) {
	for range 2 {
		status, body, err := h.post(ctx, r, w, c, signed)
		if err != nil {
			return nil, err
		}
		switch status {
		case http.StatusOK:
			_, names, err := OpenCheckpoint(append(slices.Clip(signed), body...), verifierOf(h), w.Key)
			if err != nil || len(names) == 0 {
				return nil, errors.New("its signature is not good")
			}
			w.size = c.Size
			return body, nil
		case http.StatusConflict:
			size, err := strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
			if err != nil || size == w.size || size < 0 || size > c.Size {
				return nil, fmt.Errorf("it had signed another history (%s)", strings.TrimSpace(string(body)))
			}
			w.size = size
		default:
			return nil, fmt.Errorf("it answered %d: %.200s", status, body)
		}
	}
	return nil, errors.New("it does not say what it had signed before")
}

func verifierOf(h *Head) note.Verifier {
	v, err := ParseVerifier(h.verifier)
	if err != nil {
		panic(err) // we wrote it
	}
	return v
}

func (h *Head) post(ctx context.Context, r tlog.HashReader, w *asked, c Checkpoint, signed []byte) (int, []byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", w.size)
	if w.size > 0 && w.size < c.Size {
		proof, err := tlog.ProveTree(c.Size, w.size, r)
		if err != nil {
			return 0, nil, fmt.Errorf("prove growth: %w", err)
		}
		for _, p := range proof {
			fmt.Fprintln(&b, p)
		}
	}
	b.WriteString("\n")
	b.Write(signed)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+"/add-checkpoint", &b)
	if err != nil {
		return 0, nil, err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody))
	return resp.StatusCode, body, err
}
