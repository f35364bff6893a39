package broker

import "fmt"

// reason is an MQTT 5.0 reason code (§2.4). Codes from 0x80 on are faults and
// serve as errors; a 3.1.1 client never sees them, see [reason.connack3].
type reason byte

// The reason codes that the front speaks.
const (
	success          reason = 0x00
	noSubscription   reason = 0x11
	withWill         reason = 0x04
	malformed        reason = 0x81
	violation        reason = 0x82
	wrongVersion     reason = 0x84
	wrongClientID    reason = 0x85
	wrongPassword    reason = 0x86
	notAuthorized    reason = 0x87
	shuttingDown     reason = 0x8B
	wrongAuthMethod  reason = 0x8C
	silentTooLong    reason = 0x8D
	takenOver        reason = 0x8E
	wrongFilter      reason = 0x8F
	wrongTopic       reason = 0x90
	unknownPacketID  reason = 0x92
	tooManyUnsettled reason = 0x93
	wrongAlias       reason = 0x94
	tooLarge         reason = 0x95
	overQuota        reason = 0x97
	noShared         reason = 0x9E
	noSubscriptionID reason = 0xA1
)

// Error implements error.
func (r reason) Error() string {
	if name := r.name(); name != "" {
		return name
	}
	return fmt.Sprintf("reason 0x%02x", byte(r))
}

// name is the word for r in Stats.Refused; empty when r is no refusal.
func (r reason) name() string { return names[r] }

var names = map[reason]string{
	malformed:        "malformed",
	violation:        "protocol",
	wrongVersion:     "version",
	wrongClientID:    "client_id",
	wrongPassword:    "password",
	notAuthorized:    "not_authorized",
	wrongAuthMethod:  "auth_method",
	silentTooLong:    "silent",
	takenOver:        "taken_over",
	wrongFilter:      "filter",
	wrongTopic:       "topic",
	tooManyUnsettled: "unsettled",
	wrongAlias:       "alias",
	tooLarge:         "too_large",
	overQuota:        "quota",
	noShared:         "shared",
	noSubscriptionID: "subscription_id",
}

// connack3 is the return code of a 3.1.1 CONNACK (§3.2.2.3) that says r; 0 when
// 3.1.1 has none and the connection is closed without a word.
func (r reason) connack3() byte {
	switch r {
	case wrongVersion:
		return 1
	case wrongClientID:
		return 2
	case wrongPassword:
		return 4
	case notAuthorized:
		return 5
	}
	return 0
}

// suback is r as a SUBACK code: 3.1.1 knows one failure only (§3.9.3).
func (r reason) suback(v5 bool) byte {
	if !v5 && r >= 0x80 {
		return 0x80
	}
	return byte(r)
}
