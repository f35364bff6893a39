package place

import (
	"context"
	"database/sql"
	"fmt"
)

// Unname calls a home by its address when its name holds the name of somebody who
// is erased: "Nhà ông Bình" becomes "Số 10, ngõ 12". The caller bumps the version.
func Unname(ctx context.Context, tx *sql.Tx, h HomeID, person string) error {
	if h == "" || person == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE place_home SET name = CASE WHEN address = '' THEN id ELSE address END WHERE id = $1 AND name LIKE $2`,
		h, "%"+person+"%"); err != nil {
		return fmt.Errorf("rename home %s: %w", h, err)
	}
	return nil
}
