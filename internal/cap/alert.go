package cap

import "time"

// Namespace is that of CAP 1.2.
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"

// Alert is one CAP message, as far as Keng reads or writes it.
type Alert struct {
	Identifier  string
	Sender      string
	Sent        time.Time
	Status      string // Actual, Exercise, System, Test, Draft
	MsgType     string // Alert, Update, Cancel, Ack, Error
	Source      string
	Scope       string // Public, Restricted, Private
	Restriction string
	Addresses   []string
	Codes       []string
	Note        string
	References  []Reference
	Incidents   []string
	Infos       []Info
}

// Reference names an earlier message.
type Reference struct {
	Sender, Identifier string
	Sent               time.Time
}

// Info is what a message says, in one language.
type Info struct {
	Language      string // "en-US" when it does not say
	Categories    []string
	Event         string
	ResponseTypes []string
	Urgency       string
	Severity      string
	Certainty     string
	Effective     time.Time
	Onset         time.Time
	Expires       time.Time
	SenderName    string
	Headline      string
	Description   string
	Instruction   string
	Parameters    []Value
	Areas         []Area
}

// Value is a named value.
type Value struct{ Name, Value string }

// Area is where.
type Area struct {
	Desc     string
	Polygons [][]Point
	Circles  []Circle
	Geocodes []Value
}

// Point is a place, WGS 84.
type Point struct{ Lat, Lon float64 }

// Circle is a place and a radius, km.
type Circle struct {
	Point
	Km float64
}
