package chat

import (
	"time"

	"github.com/keng-vn/keng/internal/engine/blob"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// ID names a message: a ULID, so that IDs sort by time.
type ID string

// NoticeID names a notice or a warning, which is one message in each of its groups.
type NoticeID string

// Kind is what a message is. Values are stored; append only.
type Kind string

// The kinds.
const (
	Text     Kind = "text"
	Photo    Kind = "photo"
	Voice    Kind = "voice"
	Announce Kind = "announce" // by the leader
	Notice   Kind = "notice"   // by the duty desk
	Warning  Kind = "warning"  // by an authority, through CAP
)

// counted reports whether it is counted who has seen such a message.
func (k Kind) counted() bool { return k == Announce || k == Notice || k == Warning }

// Removed is who took a message away. Values are stored; append only.
type Removed string

// Who may take a message away.
const (
	Here     Removed = ""       // nobody did
	ByAuthor Removed = "author" // taken back
	ByLeader Removed = "leader" // removed from view
	ByDesk   Removed = "desk"   // a notice that was withdrawn
)

// File is the picture or voice note of a message, clean of everything that is not
// seen or heard.
type File struct {
	Blob    blob.ID
	Media   string // "image/jpeg", "audio/webm", "audio/mp4"
	Size    int64  // bytes
	Width   int    // of a picture, in pixels
	Height  int
	Seconds int // of a voice note
}

// Message is one message as it stands now.
type Message struct {
	ID       ID
	Group    place.GroupID
	Incident string   // "" when it belongs to none
	Notice   NoticeID // "" unless it is a notice or a warning
	Kind     Kind
	Rev      int64 // of its newest change, within its group
	At       time.Time
	Person   people.ID
	Token    string
	Role     people.Role
	Home     place.HomeID
	Title    string
	Body     string
	Level    string    // of a warning
	Expires  time.Time // zero: never
	File     File
	Removed  Removed

	Seen int  // people who have seen it; only of kinds that are counted
	Mine bool // the reader has seen it
}

// Case is an incident, as far as its thread is concerned.
type Case struct {
	ID     string
	Group  place.GroupID
	Live   bool // no drill, no bell test
	Silent bool // a hold-up
	Open   bool
}
