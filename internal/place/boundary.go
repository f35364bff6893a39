package place

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/keng-vn/keng/internal/engine/store"
)

// boundaryBytes bounds a boundary file; the 148 units at full resolution are 23 MB.
const boundaryBytes = 64 << 20

type collection struct {
	Type     string    `json:"type"`
	Features []feature `json:"features"`
}

type feature struct {
	Type       string     `json:"type"`
	Properties properties `json:"properties"`
	Geometry   geometry   `json:"geometry"`
}

type properties struct {
	Code UnitCode `json:"code"`
	Name string   `json:"name"`
}

// geometry is a Polygon (rings of positions) or a MultiPolygon (polygons).
type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// ImportBoundaries stores the boundaries of r, a GeoJSON FeatureCollection
// (RFC 7946) of polygons with property "code". It is all or nothing, and safe to
// repeat; units that r does not name keep what they had. The error tells every
// feature that is wrong, by its number from 1.
func ImportBoundaries(ctx context.Context, db *store.DB, r io.Reader) (Tally, error) {
	var t Tally
	list, err := readBoundaries(r)
	if err != nil {
		return t, err
	}
	err = db.Tx(ctx, func(tx *sql.Tx) error {
		for _, f := range list {
			if err := putBoundary(ctx, tx, f, &t); err != nil {
				return fmt.Errorf("store boundary %s: %w", f.Properties.Code, err)
			}
		}
		if !t.Any() {
			return nil
		}
		return Bump(ctx, tx)
	})
	return t, err
}

func putBoundary(ctx context.Context, tx *sql.Tx, f feature, t *Tally) error {
	text, err := json.Marshal(f.Geometry)
	if err != nil {
		return err
	}
	var had string
	err = tx.QueryRowContext(ctx, `SELECT geometry FROM place_boundary WHERE code = $1`, f.Properties.Code).Scan(&had)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		t.Added++
	case err != nil:
		return err
	case had == string(text):
		t.Unchanged++
		return nil
	default:
		t.Changed++
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO place_boundary (code, geometry) VALUES ($1, $2)
		ON CONFLICT (code) DO UPDATE SET geometry = excluded.geometry`, f.Properties.Code, string(text))
	return err
}

// Boundaries is the FeatureCollection of every boundary that is stored, with the
// properties code and name; nil when there is none.
func Boundaries(ctx context.Context, q Querier) ([]byte, error) {
	rows, err := q.QueryContext(ctx, `SELECT code, geometry FROM place_boundary ORDER BY code`)
	if err != nil {
		return nil, fmt.Errorf("read boundaries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var b bytes.Buffer
	for rows.Next() {
		var p properties
		var geo string
		if err := rows.Scan(&p.Code, &geo); err != nil {
			return nil, fmt.Errorf("read boundaries: %w", err)
		}
		u, _ := UnitOf(p.Code)
		p.Name = u.FullName
		props, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("write boundary %s: %w", p.Code, err)
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"Feature","properties":%s,"geometry":%s}`, props, geo)
	}
	if err := rows.Err(); err != nil || b.Len() == 0 {
		return nil, err
	}
	return []byte(`{"type":"FeatureCollection","features":[` + b.String() + `]}`), nil
}

// HasBoundaries reports whether any boundary is stored.
func HasBoundaries(ctx context.Context, q Querier) (bool, error) {
	var n int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM place_boundary LIMIT 1) AS one`).Scan(&n); err != nil {
		return false, fmt.Errorf("look for boundaries: %w", err)
	}
	return n > 0, nil
}

func readBoundaries(r io.Reader) ([]feature, error) {
	text, err := io.ReadAll(io.LimitReader(r, boundaryBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read boundaries: %w", err)
	}
	if len(text) > boundaryBytes {
		return nil, fmt.Errorf("read boundaries: more than %d bytes", boundaryBytes)
	}
	var c collection
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("read boundaries: %w", err)
	}
	if c.Type != "FeatureCollection" || len(c.Features) == 0 {
		return nil, errors.New("read boundaries: not a FeatureCollection, or an empty one")
	}
	var bad []error
	seen := map[UnitCode]bool{}
	for i := range c.Features {
		f := &c.Features[i]
		if err := f.check(); err != nil {
			bad = append(bad, fmt.Errorf("feature %d: %w", i+1, err))
		} else if seen[f.Properties.Code] {
			bad = append(bad, fmt.Errorf("feature %d: unit %s stands twice", i+1, f.Properties.Code))
		}
		seen[f.Properties.Code] = true
	}
	return c.Features, errors.Join(bad...)
}

// check reports what is wrong with f and drops everything from its coordinates
// but longitude and latitude.
func (f *feature) check() error {
	if _, ok := UnitOf(f.Properties.Code); !ok {
		return fmt.Errorf("unit code %q is not known", f.Properties.Code)
	}
	switch f.Geometry.Type {
	case "Polygon":
		return recast(&f.Geometry.Coordinates, checkPolygon)
	case "MultiPolygon":
		return recast(&f.Geometry.Coordinates, func(list [][][][]float64) error {
			if len(list) == 0 {
				return errors.New("a MultiPolygon without polygons")
			}
			for _, p := range list {
				if err := checkPolygon(p); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return fmt.Errorf("unit %s: geometry %q is neither Polygon nor MultiPolygon", f.Properties.Code, f.Geometry.Type)
}

// recast reads raw as a T, checks it, and writes it back in its shortest form.
func recast[T any](raw *json.RawMessage, check func(T) error) error {
	var v T
	if err := json.Unmarshal(*raw, &v); err != nil {
		return fmt.Errorf("coordinates: %w", err)
	}
	if err := check(v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	*raw = text
	return err
}

// checkPolygon wants closed rings of at least four positions inside the world,
// longitude first (RFC 7946, 3.1.6).
func checkPolygon(rings [][][]float64) error {
	if len(rings) == 0 {
		return errors.New("a polygon without rings")
	}
	for _, ring := range rings {
		if len(ring) < 4 {
			return errors.New("a ring of fewer than four positions")
		}
		for i, p := range ring {
			if len(p) < 2 || p[0] < -180 || p[0] > 180 || p[1] < -90 || p[1] > 90 {
				return fmt.Errorf("position %v is not longitude, latitude", p)
			}
			ring[i] = p[:2]
		}
		if a, b := ring[0], ring[len(ring)-1]; a[0] != b[0] || a[1] != b[1] {
			return errors.New("a ring that is not closed")
		}
	}
	return nil
}
