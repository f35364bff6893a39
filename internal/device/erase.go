package device

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/keng-vn/keng/internal/people"
)

// Erase forgets who bypassed a device. The bypass itself ends by its own time.
func (v *Service) Erase(ctx context.Context, tx *sql.Tx, id people.ID) error {
	if _, err := tx.ExecContext(ctx, `UPDATE device SET bypassed_by = '' WHERE bypassed_by = $1`, id); err != nil {
		return fmt.Errorf("forget who bypassed: %w", err)
	}
	return nil
}
