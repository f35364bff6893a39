package reach

import (
	"context"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/people"
)

// Notice is something that is no alarm: a message of the group, an announcement.
type Notice struct {
	Key    string // the same key is the same notice; a person gets it once
	Topic  string // a newer one of a topic takes the place of an older
	Kind   string // chat or notice
	Title  string
	Body   string
	Path   string // where a tap leads: "/"
	People []people.ID
	Until  time.Time // of no use any more; zero: a day
}

// Notify tells people something that is no alarm, by push, as each of them chose:
// not to who does not want it, and in nobody's quiet hours: a message of the group
// is then left out, a notice comes when they end. It says how many are told.
func (v *Service) Notify(_ context.Context, n Notice) (told int) {
	now := v.Now()
	if n.Until.IsZero() {
		n.Until = now.Add(24 * time.Hour)
	}
	var all []notify.Message
	for _, who := range n.People {
		w := v.wishOf(who)
		quiet := w.quietUntil(now)
		chat := n.Kind == "chat"
		if chat && (!w.Chat || !quiet.IsZero()) || !chat && !w.Notices || quiet.After(n.Until) {
			continue
		}
		phones := v.PhonesOf(who)
		if len(phones) > 0 && v.Post.Has(notify.Push) {
			told++
		}
		for _, p := range phones {
			m := notify.Message{
				Key: strings.Join([]string{"notice", n.Key, string(who), p.ID}, "/"), Channel: notify.Push, Topic: n.Topic, Person: string(who),
				To: p.Endpoint, Secret: p.P256dh + " " + p.Auth, Rank: 2, After: quiet, Until: n.Until,
			}
			m.Body = letter{V: 1, ID: m.ID(), Kind: n.Kind, Title: short(n.Title, 80), Body: short(n.Body, 240), Lang: p.Lang, Tag: n.Topic, Path: n.Path}.text()
			all = append(all, m)
		}
	}
	v.Post.Post(all...)
	return told
}

// short is s with at most n letters.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
