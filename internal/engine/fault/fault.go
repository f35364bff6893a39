package fault

import (
	"errors"
	"fmt"
)

// Kind is the class of a fault. It maps one to one to an HTTP status. Values
// are stored; append only.
type Kind uint8

// The kinds of fault.
const (
	Internal Kind = iota // a bug or a broken machine; details go to the log only
	Invalid              // the request itself is wrong
	NotFound             // no such thing, or the caller may not know that there is
	Denied               // the caller is known and may not
	Conflict             // someone else was first
	Busy                 // try again later; nothing was lost
	Unknown              // the caller is not known: sign in first
)

// Error is a fault with its operation and the key of the sentence that people see.
type Error struct {
	Op   string         // package.Verb, for the log: "alarm.Raise"
	Kind Kind           // class of the fault
	Key  string         // catalogue key in package say: "alarm.group_unknown"
	Args map[string]any // values for the sentence; never a secret
	Err  error          // cause, for the log only; may be nil
}

// Error implements error. The text is for operators, in English.
func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Op, e.Key)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Key, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes a fault without a cause.
func New(op string, k Kind, key string) *Error { return &Error{Op: op, Kind: k, Key: key} }

// Wrap keeps a fault as it is and makes an internal one of any other error; nil
// stays nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{Op: op, Kind: Internal, Key: "fault.internal", Err: err}
}

// KindOf returns the kind of the outermost fault in err, or [Internal].
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
