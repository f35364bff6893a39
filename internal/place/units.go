package place

import (
	_ "embed" // units.csv
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed units.csv
var unitsCSV string

// atlas is units.csv, read once.
type atlas struct {
	list   []Unit // the province first, then by code
	byCode map[UnitCode]Unit
	former map[UnitCode]string // names of the units that were merged into it
}

// units is a constant in all but syntax: the file is part of the program.
var units = sync.OnceValue(func() atlas {
	a, err := readUnits(unitsCSV)
	if err != nil {
		panic(err)
	}
	return a
})

// readUnits reads columns code, name, full_name, type, parent, slug, name_en,
// area_km2, formed_from.
func readUnits(text string) (atlas, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return atlas{}, fmt.Errorf("read units: %w", err)
	}
	a := atlas{byCode: map[UnitCode]Unit{}, former: map[UnitCode]string{}}
	for _, r := range rows[1:] {
		u := Unit{Code: UnitCode(r[0]), Name: Tidy(r[1]), FullName: Tidy(r[2]), Kind: r[3], Parent: UnitCode(r[4])}
		if _, twice := a.byCode[u.Code]; twice {
			return atlas{}, fmt.Errorf("read units: %s stands twice", u.Code)
		}
		a.list = append(a.list, u)
		a.byCode[u.Code] = u
		a.former[u.Code] = r[8]
	}
	slices.SortStableFunc(a.list, func(x, y Unit) int {
		if (x.Parent == "") != (y.Parent == "") {
			return len(x.Parent) - len(y.Parent)
		}
		return strings.Compare(string(x.Code), string(y.Code))
	})
	return a, nil
}

// Units lists the units that are built in: the province, then its communes and
// wards by code. The slice belongs to the caller.
func Units() []Unit { return slices.Clone(units().list) }

// UnitOf returns the unit with that code.
func UnitOf(code UnitCode) (Unit, bool) {
	u, ok := units().byCode[code]
	return u, ok
}

// ParentOf is the code of the unit above, "" for a province or an unknown code.
func ParentOf(code UnitCode) UnitCode { return units().byCode[code].Parent }

// Province is the unit at the top of those that are built in.
func Province() Unit { return units().list[0] }

// FindUnits lists the units that q may mean: a code, also without its leading
// zeros, or a part of a name, present or from before the mergers of 2025-07-01.
// Exact names come first.
func FindUnits(q string) []Unit {
	want := Fold(q)
	if want == "" {
		return nil
	}
	var exact, near []Unit
	for _, u := range units().list {
		switch {
		case strings.TrimLeft(want, "0") == strings.TrimLeft(string(u.Code), "0"), Fold(u.Name) == want, Fold(u.FullName) == want:
			exact = append(exact, u)
		case strings.Contains(Fold(u.FullName), want), strings.Contains(Fold(units().former[u.Code]), want):
			near = append(near, u)
		}
	}
	return append(exact, near...)
}
