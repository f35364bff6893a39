package group

import (
	"context"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

type groupInput struct {
	ID place.GroupID `path:"id" maxLength:"64"`
}

type insideOutput struct{ Body InsideView }

// MadeView is the id of what was made.
type MadeView struct {
	ID string `json:"id"`
}

type madeOutput struct{ Body MadeView }

// FoundingView is where somebody was invited to found a group.
type FoundingView struct {
	Unit place.UnitCode `json:"unit"`
	Name string         `json:"name"`
}

type foundingOutput struct{ Body FoundingView }

type foundInput struct{ Body Founding }

type homeInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body NewHome
}

type moveInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Home place.HomeID  `path:"home" maxLength:"64"`
	Body NewHome
}

type theHomeInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Home place.HomeID  `path:"home" maxLength:"64"`
}

type renameInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body struct {
		Name          string `json:"name" maxLength:"120"`
		Neighbourhood string `json:"neighbourhood" maxLength:"120"`
	}
}

type inviteInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Home place.HomeID  `path:"home" maxLength:"64"`
	Body struct {
		Name string `json:"name" maxLength:"120"`
	}
}

type founderInput struct {
	Body struct {
		Name string `json:"name" maxLength:"120"`
	}
}

type inviteOutput struct{ Body people.InviteView }

type charterInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body struct {
		Text string `json:"text" maxLength:"20000"`
	}
}

type signInput struct {
	ID      place.GroupID `path:"id" maxLength:"64"`
	Version int           `path:"version" minimum:"1"`
}

type termInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body struct {
		Person people.ID   `json:"person" maxLength:"64"`
		Role   people.Role `json:"role" enum:"leader,deputy"`
		From   string      `json:"from,omitempty" maxLength:"10" doc:"a day, 2026-07-01; today when left out"`
		Until  string      `json:"until,omitempty" maxLength:"10" doc:"first day on which it no longer holds"`
	}
}

type endTermInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Term string        `path:"term" maxLength:"64"`
}

type askInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body struct {
		Group place.GroupID `json:"group" maxLength:"64"`
	}
}

type replyInput struct {
	ID    place.GroupID `path:"id" maxLength:"64"`
	Other place.GroupID `path:"other" maxLength:"64"`
	Body  struct {
		Answer string `json:"answer" enum:"yes,no,part" doc:"part: no longer neighbours, or what was asked is taken back"`
	}
}

type meetInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body Assembly
}

type gearInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Body struct {
		ID      string       `json:"id,omitempty" maxLength:"64" doc:"of a piece that is corrected"`
		Home    place.HomeID `json:"home,omitempty" maxLength:"64" doc:"where it stands; empty for the group's own place"`
		Kind    Kind         `json:"kind" enum:"extinguisher,breaking_tool,ladder,key,first_aid,torch,mask,other"`
		Label   string       `json:"label,omitempty" maxLength:"160"`
		Expires string       `json:"expires,omitempty" maxLength:"10"`
	}
}

type scrapInput struct {
	ID   place.GroupID `path:"id" maxLength:"64"`
	Gear string        `path:"gear" maxLength:"64"`
}

type skillInput struct {
	Body struct {
		Skill Skill `json:"skill" enum:"first_aid,electrician,nurse,fire,swim,drive,strong,plumber"`
		On    bool  `json:"on"`
	}
}

type setNoteInput struct {
	Body struct {
		Text string `json:"text" maxLength:"2000"`
	}
}

// NoteView is a home's own note, and who opened it.
type NoteView struct {
	Text     string        `json:"text"`
	Openings []OpeningView `json:"openings" doc:"newest first; those of a silent alarm once it is over"`
}

// OpeningView is one look at the note.
type OpeningView struct {
	At       time.Time   `json:"at"`
	By       string      `json:"by" doc:"empty when he left since"`
	Role     people.Role `json:"role"`
	Incident string      `json:"incident"`
	Leaf     string      `json:"leaf" doc:"of the log of who saw what; empty without one"`
}

type noteOutput struct{ Body NoteView }

type incidentInput struct {
	Incident string `path:"id" maxLength:"40"`
}

type openInput struct {
	Incident string       `path:"id" maxLength:"40"`
	Home     place.HomeID `path:"home" maxLength:"64"`
}

type homesOutput struct{ Body []place.HomeID }

// OpenedView is a home's note as a helper reads it.
type OpenedView struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

type openedOutput struct{ Body OpenedView }

// done turns a verb without an answer into one that is empty.
func done(err error) (*struct{}, error) { return nil, err }

// Routes adds the slice's operations to k.
func (v *Service) Routes(k *web.Kit) {
	v.routesOfGroup(k)
	v.routesOfRules(k)
	v.routesOfPeople(k)
	v.routesOfNotes(k)
}

func post(id, path, summary string) web.Op {
	return web.Op{ID: id, Method: http.MethodPost, Path: "/api/v1" + path, Tag: "group", Summary: summary}
}

func get(id, path, summary string) web.Op {
	return web.Op{ID: id, Method: http.MethodGet, Path: "/api/v1" + path, Tag: "group", Summary: summary}
}

func (v *Service) routesOfGroup(k *web.Kit) {
	web.Register(k, post("found-group", "/groups", "found a group; its founder is its leader"), func(ctx context.Context, in *foundInput) (*madeOutput, error) {
		id, err := v.Found(ctx, people.Asker(ctx), web.OutboxKey(ctx), in.Body)
		return &madeOutput{MadeView{string(id)}}, err
	})
	web.Register(k, get("look-into-group", "/groups/{id}", "a group as its own people see it"), func(ctx context.Context, in *groupInput) (*insideOutput, error) {
		w, err := v.Look(ctx, people.Asker(ctx), in.ID)
		return &insideOutput{w}, err
	})
	web.Register(k, post("rename-group", "/groups/{id}", "change what a group is called"), func(ctx context.Context, in *renameInput) (*struct{}, error) {
		return done(v.Rename(ctx, people.Asker(ctx), in.ID, in.Body.Name, in.Body.Neighbourhood))
	})
	web.Register(k, post("add-home", "/groups/{id}/homes", "add a home to a group"), func(ctx context.Context, in *homeInput) (*madeOutput, error) {
		id, err := v.AddHome(ctx, people.Asker(ctx), in.ID, in.Body)
		return &madeOutput{MadeView{string(id)}}, err
	})
	web.Register(k, post("move-home", "/groups/{id}/homes/{home}", "correct what a home is called and where it stands"), func(ctx context.Context, in *moveInput) (*struct{}, error) {
		return done(v.Move(ctx, people.Asker(ctx), in.ID, in.Home, in.Body))
	})
	web.Register(k, post("leave-with-home", "/groups/{id}/homes/{home}/leave", "take a home out of the group, with everybody in it"), func(ctx context.Context, in *theHomeInput) (*struct{}, error) {
		return done(v.LeaveHome(ctx, people.Asker(ctx), in.ID, in.Home))
	})
	web.Register(k, post("ask-neighbour", "/groups/{id}/neighbours", "ask another group to be a neighbour"), func(ctx context.Context, in *askInput) (*struct{}, error) {
		return done(v.Ask(ctx, people.Asker(ctx), in.ID, in.Body.Group))
	})
	web.Register(k, post("answer-neighbour", "/groups/{id}/neighbours/{other}", "accept, refuse or end being neighbours"), func(ctx context.Context, in *replyInput) (*struct{}, error) {
		if in.Body.Answer == "part" {
			return done(v.Part(ctx, people.Asker(ctx), in.ID, in.Other))
		}
		return done(v.Reply(ctx, people.Asker(ctx), in.ID, in.Other, in.Body.Answer == "yes"))
	})
	web.Register(k, post("set-assembly", "/groups/{id}/assembly", "say where everybody meets"), func(ctx context.Context, in *meetInput) (*struct{}, error) {
		return done(v.Meet(ctx, people.Asker(ctx), in.ID, in.Body))
	})
	web.Register(k, post("put-gear", "/groups/{id}/gear", "write down a piece of equipment, or correct one"), func(ctx context.Context, in *gearInput) (*madeOutput, error) {
		b := in.Body
		id, err := v.Equip(ctx, people.Asker(ctx), Gear{ID: b.ID, Group: in.ID, Home: b.Home, Kind: b.Kind, Label: b.Label, Expires: b.Expires})
		return &madeOutput{MadeView{id}}, err
	})
	web.Register(k, post("scrap-gear", "/groups/{id}/gear/{gear}/scrap", "take a piece of equipment off the list"), func(ctx context.Context, in *scrapInput) (*struct{}, error) {
		return done(v.Scrap(ctx, people.Asker(ctx), in.ID, in.Gear))
	})
}

func (v *Service) routesOfRules(k *web.Kit) {
	web.Register(k, post("write-charter", "/groups/{id}/charters", "write a new version of the group's rules"), func(ctx context.Context, in *charterInput) (*struct{}, error) {
		_, err := v.Write(ctx, people.Asker(ctx), in.ID, in.Body.Text)
		return done(err)
	})
	web.Register(k, post("sign-charter", "/groups/{id}/charters/{version}/signature", "sign the newest rules for the asker's home"), func(ctx context.Context, in *signInput) (*struct{}, error) {
		return done(v.Sign(ctx, people.Asker(ctx), in.ID, in.Version))
	})
	web.Register(k, post("name-leader", "/groups/{id}/terms", "make somebody leader or deputy for a time"), func(ctx context.Context, in *termInput) (*struct{}, error) {
		b := in.Body
		return done(v.Name(ctx, people.Asker(ctx), Term{Group: in.ID, Person: b.Person, Role: b.Role, From: b.From, Until: b.Until}))
	})
	web.Register(k, post("end-term", "/groups/{id}/terms/{term}/end", "end a term today"), func(ctx context.Context, in *endTermInput) (*struct{}, error) {
		return done(v.Dismiss(ctx, people.Asker(ctx), in.ID, in.Term))
	})
}

func (v *Service) routesOfPeople(k *web.Kit) {
	web.Register(k, get("get-founding", "/me/founding", "where the asker was invited to found a group"), func(ctx context.Context, _ *struct{}) (*foundingOutput, error) {
		u, err := v.Founding(ctx, people.Asker(ctx))
		return &foundingOutput{FoundingView{u.Code, u.FullName}}, err
	})
	web.Register(k, post("invite-founder", "/founders", "invite somebody of the desk's unit to found a group"), func(ctx context.Context, in *founderInput) (*inviteOutput, error) {
		i, err := v.InviteFounder(ctx, people.Asker(ctx), in.Body.Name)
		return v.letter(ctx, i, err)
	})
	web.Register(k, post("invite-adult", "/groups/{id}/homes/{home}/invites", "invite an adult of a home"), func(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
		i, err := v.Invite(ctx, people.Asker(ctx), in.ID, in.Home, in.Body.Name)
		return v.letter(ctx, i, err)
	})
	web.Register(k, post("leave-group", "/me/leave", "leave the group; sessions end, data go"), func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return done(v.Leave(ctx, people.Asker(ctx)))
	})
	web.Register(k, post("offer-skill", "/me/skills", "give a skill, or take it back"), func(ctx context.Context, in *skillInput) (*struct{}, error) {
		return done(v.Offer(ctx, people.Asker(ctx), in.Body.Skill, in.Body.On))
	})
}

// letter shows an invite, once.
func (v *Service) letter(ctx context.Context, i people.Invite, err error) (*inviteOutput, error) {
	if err != nil {
		return nil, err
	}
	w, err := v.People.Show(ctx, i)
	return &inviteOutput{w}, err
}

func (v *Service) routesOfNotes(k *web.Kit) {
	web.Register(k, get("get-note", "/me/note", "the note of the asker's home, and who opened it"), func(ctx context.Context, _ *struct{}) (*noteOutput, error) {
		text, all, err := v.OwnNote(ctx, people.Asker(ctx))
		if err != nil {
			return nil, err
		}
		out := &noteOutput{NoteView{Text: text, Openings: []OpeningView{}}}
		for _, o := range all {
			p, _ := v.Folk.Person(o.Person)
			out.Body.Openings = append(out.Body.Openings, OpeningView{o.At, p.Name, o.Role, o.Incident, o.Leaf})
		}
		return out, nil
	})
	web.Register(k, post("set-note", "/me/note", "write the note of the asker's home; empty takes it away"), func(ctx context.Context, in *setNoteInput) (*struct{}, error) {
		return done(v.SetNote(ctx, people.Asker(ctx), in.Body.Text))
	})
	web.Register(k, get("list-notes", "/incidents/{id}/home-notes", "homes that left a note, for who helps in a live alarm"), func(ctx context.Context, in *incidentInput) (*homesOutput, error) {
		homes, err := v.Notes(ctx, people.Asker(ctx), in.Incident)
		return &homesOutput{homes}, err
	})
	web.Register(k, post("open-note", "/incidents/{id}/home-notes/{home}", "open a home's note; the home sees who did"), func(ctx context.Context, in *openInput) (*openedOutput, error) {
		note, at, err := v.OpenNote(ctx, people.Asker(ctx), in.Incident, in.Home)
		return &openedOutput{OpenedView{note, at}}, err
	})
}
