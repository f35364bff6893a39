package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// Height of tiles: C2SP tlog-tiles has 256 hashes in each.
const tileHeight = 8

const perTile = 1 << tileHeight

func notFound(op string) error { return fault.New(op, fault.NotFound, "fault.not_found") }

// ServeCheckpoint answers the newest checkpoint: C2SP tlog-checkpoint.
func (h *Head) ServeCheckpoint(w http.ResponseWriter, r *http.Request) error {
	_, signed := h.Published()
	if signed == nil {
		var err error
		if _, signed, err = h.Covering(r.Context(), 0); err != nil {
			return busy("audit.Checkpoint", err)
		}
	}
	text(w, "no-cache", signed)
	return nil
}

// busy is why the log cannot answer now.
func busy(op string, err error) error {
	return &fault.Error{Op: op, Kind: fault.Busy, Key: "fault.busy", Err: err}
}

func text(w http.ResponseWriter, cache string, b []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", cache)
	_, _ = w.Write(b) // the client has gone: nobody to tell
}

// ServeKey answers the log's public key. Whoever checks the log should have it
// from elsewhere too.
func (h *Head) ServeKey(w http.ResponseWriter, _ *http.Request) error {
	text(w, "no-cache", []byte(h.verifier+"\n"))
	return nil
}

// ServeTile answers {path...}: a tile of hashes, or a bundle of entries, whole or
// partial: C2SP tlog-tiles.
func (h *Head) ServeTile(w http.ResponseWriter, r *http.Request) error {
	const op = "audit.Tile"
	p, entries := r.PathValue("path"), false
	if rest, ok := strings.CutPrefix(p, "entries/"); ok {
		p, entries = "0/"+rest, true
	}
	t, err := tlog.ParseTilePath("tile/8/" + p)
	if err != nil || t.L < 0 {
		return notFound(op)
	}
	var b []byte
	if entries {
		b, err = h.log.bundle(r.Context(), t.N, t.W)
	} else {
		b, err = tlog.ReadTileData(t, hashes{r.Context(), h.log.db.Read()})
	}
	switch {
	case errors.Is(err, errNoHash):
		return notFound(op)
	case err != nil:
		return busy(op, err)
	}
	cache := "public, max-age=86400"
	if t.W == perTile {
		cache = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", cache)
	_, _ = w.Write(b) // the client has gone: nobody to tell
	return nil
}

// leaves reads count leaves from place first on; fewer where the log ends.
func leaves(ctx context.Context, q querier, first int64, count int) ([][]byte, error) {
	rows, err := q.QueryContext(ctx, `SELECT n, body FROM audit_leaf WHERE n >= $1 AND n < $2 ORDER BY n`, first, first+int64(count))
	if err != nil {
		return nil, fmt.Errorf("read leaves: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := make([][]byte, 0, count)
	for rows.Next() {
		var n int64
		var body string
		if err := rows.Scan(&n, &body); err != nil {
			return nil, fmt.Errorf("read leaves: %w", err)
		}
		if n != first+int64(len(list)) {
			return nil, fmt.Errorf("leaf %d is missing", first+int64(len(list)))
		}
		list = append(list, []byte(body))
	}
	return list, rows.Err()
}

// bundle is leaves with their lengths, 2 bytes each.
func (l *Log) bundle(ctx context.Context, n int64, width int) ([]byte, error) {
	list, err := leaves(ctx, l.db.Read(), n*perTile, width)
	if err != nil {
		return nil, err
	}
	if len(list) < width {
		return nil, errNoHash
	}
	var b []byte
	for _, leaf := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(len(leaf))) // #nosec G115 -- bounded by mostOf
		b = append(b, leaf...)
	}
	return b, nil
}

// Proof is the C2SP tlog-proof of entry n, under a checkpoint made now if none
// covers it yet.
func (h *Head) Proof(ctx context.Context, n int64) ([]byte, error) {
	const op = "audit.Proof"
	size, err := h.log.Size(ctx)
	if err != nil {
		return nil, busy(op, err)
	}
	if n < 0 || n >= size {
		return nil, notFound(op)
	}
	c, signed, err := h.Covering(ctx, n+1)
	if err != nil {
		return nil, busy(op, err)
	}
	proof, err := tlog.ProveRecord(c.Size, n, hashes{ctx, h.log.db.Read()})
	if err != nil {
		return nil, busy(op, err)
	}
	return proofText(fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", n), proof, signed), nil
}

func proofText(head string, hashes []tlog.Hash, signed []byte) []byte {
	var b strings.Builder
	b.WriteString(head)
	for _, x := range hashes {
		b.WriteString(x.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(signed)
	return []byte(b.String())
}

// ServeProof answers the proof that entry {n} is in the log.
func (h *Head) ServeProof(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.ParseInt(strings.TrimSuffix(r.PathValue("n"), ".tlog-proof"), 10, 64)
	if err != nil {
		return notFound("audit.Proof")
	}
	proof, err := h.Proof(r.Context(), n)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="keng-%d.tlog-proof"`, n))
	text(w, "no-cache", proof)
	return nil
}

// ServeConsistency answers the proof that the log of today grew out of the one
// with {old} leaves: the body that a witness is sent.
func (h *Head) ServeConsistency(w http.ResponseWriter, r *http.Request) error {
	const op = "audit.Consistency"
	old, err := strconv.ParseInt(r.PathValue("old"), 10, 64)
	if err != nil || old < 1 {
		return notFound(op)
	}
	c, signed := h.Published()
	if old > c.Size {
		return notFound(op)
	}
	var proof tlog.TreeProof
	if old < c.Size {
		if proof, err = tlog.ProveTree(c.Size, old, hashes{r.Context(), h.log.db.Read()}); err != nil {
			return busy(op, err)
		}
	}
	text(w, "no-cache", proofText(fmt.Sprintf("old %d\n", old), proof, signed))
	return nil
}

// ParseProof reads a tlog-proof: its entry's place, the hashes and the signed
// checkpoint.
func ParseProof(b []byte) (n int64, proof tlog.RecordProof, signed []byte, err error) {
	head, rest, ok := strings.Cut(string(b), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, nil, errors.New("not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, nil, nil, errors.New("not a tlog-proof: no index")
	}
	if n, err = strconv.ParseInt(lines[0][len("index "):], 10, 64); err != nil || n < 0 {
		return 0, nil, nil, errors.New("not a tlog-proof: no index")
	}
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return 0, nil, nil, errors.New("not a tlog-proof: a line is no hash")
		}
		proof = append(proof, h)
	}
	return n, proof, []byte(rest), nil
}
