package device

import (
	"context"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/place"
)

// Wiring lists every device as the village file named it, by id, without
// passwords.
func Wiring(ctx context.Context, q place.Querier) ([]NewDevice, error) {
	rows, err := readDevices(ctx, q)
	if err != nil {
		return nil, err
	}
	list := make([]NewDevice, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.NewDevice)
	}
	slices.SortFunc(list, func(a, b NewDevice) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list, nil
}
