package alarm

import (
	"context"
	"fmt"
	"strconv"

	"github.com/keng-vn/keng/internal/people"
)

// Holds says what the journal holds about a person: what he did, by his number
// and never by his name. These events stay when he is erased, for the journal is
// what others rely on; without his row they are of nobody.
func (b *Book) Holds(ctx context.Context, id people.ID) ([]people.Section, error) {
	rows, err := b.DB.Read().QueryContext(ctx, `SELECT at_ms, kind, incident_id FROM alarm_event WHERE body LIKE $1 ORDER BY at_ms LIMIT 10000`, `%"person":`+strconv.Quote(string(id))+`%`)
	if err != nil {
		return nil, fmt.Errorf("read what somebody did: %w", err)
	}
	defer func() { _ = rows.Close() }()
	s := people.Section{Title: "held.alarms", Rows: [][]people.Detail{}}
	for rows.Next() {
		var at int64
		var kind, incident string
		if err := rows.Scan(&at, &kind, &incident); err != nil {
			return nil, fmt.Errorf("read what somebody did: %w", err)
		}
		s.Rows = append(s.Rows, []people.Detail{people.At("held.at", at), {Label: "held.act", Value: kind}, {Label: "held.incident", Value: incident}})
	}
	return []people.Section{s}, rows.Err()
}
