package app

import (
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/privacy"
)

// openPrivacy wires who saw what, and what people may ask for. Whoever keeps
// something about people adds himself to both lists.
func (a *App) openPrivacy() {
	a.Privacy = privacy.New(privacy.Service{
		DB: a.DB, Rights: people.Rights{}, Record: a.Audit, Entries: a.Audit, Folk: a.Book, Rules: a.Rules,
		Holders:   []privacy.Holder{a.People, a.Groups, a.Chat, a.Reach, a.journal},
		Erasers:   []privacy.Eraser{a.Groups, a.Chat, a.Reach, a.Devices, a.People},
		Directory: a.Village.Directory, Now: a.Now, Log: a.Log,
	})
	if a.Head != nil {
		a.Privacy.Proofs = a.Head
	}
	a.Screens.Looks = a.Privacy
}
