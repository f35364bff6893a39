package dc09

import (
	"fmt"
	"strings"
)

// Name is the word in a village file.
const Name = "dc09"

// Address is what a village file writes as the topic of a panel's device: "1234"
// for every zone of an account, "1234/05" for one.
type Address struct {
	Account string // upper case
	Zone    string // "" for every zone
}

// ParseAddress reads "1234" or "1234/05".
func ParseAddress(topic string) (Address, error) {
	account, zone, hasZone := strings.Cut(topic, "/")
	a := Address{Account: strings.ToUpper(account), Zone: zone}
	switch {
	case account == "" || span(account, isLetterOrDigit, 16) != account:
		return Address{}, fmt.Errorf("account %q is not 1 to 16 letters and digits, as in 1234 or 1234/05", account)
	case hasZone && (zone == "" || span(zone, isDigit, 8) != zone):
		return Address{}, fmt.Errorf("zone %q is not a number, as in 1234/05", zone)
	}
	return a, nil
}

// Covers reports whether an event of account and zone is meant by a. Zones are
// numbers: "05", "5" and "005" are the same.
func (a Address) Covers(account, zone string) bool {
	if a.Account != strings.ToUpper(account) {
		return false
	}
	return a.Zone == "" || zone != "" && number(a.Zone) == number(zone)
}

func number(s string) string { return strings.TrimLeft(s, "0") }
