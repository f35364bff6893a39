package chat

import (
	"bytes"
	"context"
	"io"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// PostFile says a picture or a voice note in group id, cleaned of everything that
// is not seen or heard. The same key from the same person is the same message.
func (v *Service) PostFile(ctx context.Context, a people.Actor, key string, id place.GroupID, k Kind, incident string, from io.Reader) (Message, error) {
	const op = "chat.PostFile"
	c, g, err := v.mayPost(ctx, op, a, id, incident)
	if err != nil {
		return Message{}, err
	}
	if v.Files == nil {
		return Message{}, fault.New(op, fault.Invalid, "chat.no_folder")
	}
	m := v.draft(a, k, g.ID)
	deed := mark(a, key, m.ID)
	if had, err := byDeed(ctx, v.DB.Read(), deed, a.Person); err == nil { // sent again: nothing to unpack
		had, _, err = sameGroup(had, m, nil)
		return had, err
	}
	var ok bool
	if m.Incident, ok = belongs(incident, c, v.Cases.Ringing(g.ID)); !ok {
		return Message{}, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	data, err := v.take(ctx, op, &m, from)
	if err != nil {
		return Message{}, err
	}
	if m.File.Blob, m.File.Size, err = v.Files.Put(ctx, bytes.NewReader(data)); err != nil {
		return Message{}, fault.Wrap(op, err)
	}
	said, err := v.say(ctx, op, m, deed)
	if err == nil && said.File.Blob != m.File.Blob { // somebody was faster with the same deed
		err = v.Files.Delete(m.File.Blob)
	}
	return said, err // of a file whose message may be written or not, Tidy finds out
}

// take reads a file of m's kind within its bound, and cleans it.
func (v *Service) take(ctx context.Context, op string, m *Message, from io.Reader) ([]byte, error) {
	most := int64(photoBytes)
	if m.Kind == Voice {
		most = voiceBytes
	}
	data, err := io.ReadAll(io.LimitReader(from, most+1))
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "chat.file_torn", Err: err}
	}
	if int64(len(data)) > most {
		return nil, fault.New(op, fault.Invalid, "fault.too_large")
	}
	switch m.Kind {
	case Photo:
		jpg, size, err := v.photos.redraw(ctx, op, data)
		m.File.Media, m.File.Width, m.File.Height = "image/jpeg", size.X, size.Y
		return jpg, err
	case Voice:
		m.File.Media, m.File.Seconds, err = clean(op, data)
		return data, err
	}
	return nil, fault.New(op, fault.Invalid, "fault.invalid")
}
