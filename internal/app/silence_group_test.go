package app

var (
	// A group from inside; its own home; what nobody of these has.
	inside         = all(signIn, unknown, yes, yes, denied, unknown, denied, denied)
	adds           = all(signIn, unknown, denied, yes, denied, unknown, denied, denied)
	livesSomewhere = all(signIn, yes, yes, denied, denied, denied, denied, denied)
	nowhere        = all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown)
	foundsNothing  = all(signIn, denied, denied, denied, denied, denied, denied, denied)
)

// groupRules are the rules of the group slice. The askers' leader is a token: it
// lives in no home.
var groupRules = map[string]rule{
	"POST /api/v1/groups":                                   {foundsNothing, `{"name":"X","neighbourhood":"Y","home":{"name":"Z","address":""}}`, false},
	"GET /api/v1/me/founding":                               {signedIn, "", false},
	"POST /api/v1/founders":                                 {all(signIn, denied, denied, denied, yes, yes, denied, denied), `{"name":"Người lập tổ"}`, false},
	"GET /api/v1/groups/{id}":                               {inside, "", false},
	"POST /api/v1/groups/{id}":                              {drills, `{"name":"Tổ liên gia số 1","neighbourhood":"Tổ 5"}`, false},
	"POST /api/v1/groups/{id}/homes":                        {adds, `{"name":"Nhà mới","address":""}`, true},
	"POST /api/v1/groups/{id}/homes/{home}":                 {drills, `{"name":"Nhà bà Bùi Thị Lan","address":"Số 6, ngõ 12"}`, false},
	"POST /api/v1/groups/{id}/homes/{home}/invites":         {drills, `{"name":"Người mới"}`, false},
	"POST /api/v1/groups/{id}/homes/{home}/leave":           {all(signIn, unknown, denied, conflict, denied, unknown, denied, denied), ``, false}, // something rings
	"POST /api/v1/groups/{id}/neighbours":                   {drills, `{"group":"g3"}`, false},
	"POST /api/v1/groups/{id}/neighbours/{other}":           {drills, `{"answer":"part"}`, false},
	"POST /api/v1/groups/{id}/assembly":                     {drills, `{"text":"Sân nhà văn hoá"}`, false},
	"POST /api/v1/groups/{id}/gear":                         {drills, `{"kind":"ladder","label":"Thang"}`, false},
	"POST /api/v1/groups/{id}/gear/{gear}/scrap":            {all(signIn, unknown, unknown, unknown, denied, unknown, denied, denied), ``, false}, // there is no such gear
	"POST /api/v1/groups/{id}/charters":                     {drills, `{"text":"Quy chế"}`, false},
	"POST /api/v1/groups/{id}/charters/{version}/signature": {all(signIn, unknown, conflict, denied, denied, unknown, denied, denied), ``, false}, // no such version; a token has no home
	"POST /api/v1/groups/{id}/terms":                        {all(signIn, unknown, denied, unknown, denied, unknown, denied, denied), `{"person":"p-none","role":"deputy"}`, false},
	"POST /api/v1/groups/{id}/terms/{term}/end":             {all(signIn, unknown, denied, unknown, denied, unknown, denied, denied), ``, false},
	"POST /api/v1/me/leave":                                 {all(signIn, yes, conflict, denied, denied, denied, denied, denied), ``, false}, // g1 rings, g3 does not
	"POST /api/v1/me/skills":                                {livesSomewhere, `{"skill":"nurse","on":true}`, false},
	"GET /api/v1/me/note":                                   {livesSomewhere, "", false},
	"POST /api/v1/me/note":                                  {livesSomewhere, `{"text":"x"}`, false},
	"GET /api/v1/incidents/{id}/home-notes":                 {nowhere, "", false}, // these are programs, and a neighbour who does not come
	"POST /api/v1/incidents/{id}/home-notes/{home}":         {nowhere, ``, false},
	// The list of households: who keeps it; what leaves Keng leaves with a person only.
	"POST /api/v1/register/imports":           {all(signIn, unknown, unknown, unknown, unknown, unknown, denied, unknown), `{}`, false}, // no spreadsheet; see TestRegisterIsForItsDesk
	"GET /api/v1/register/imports":            {all(signIn, unknown, unknown, unknown, yes, yes, denied, unknown), "", false},
	"POST /api/v1/register/imports/{id}/undo": {nowhere, ``, false},
	"POST /api/v1/register/exports":           {all(signIn, unknown, unknown, unknown, denied, denied, denied, unknown), ``, false},
}
