package stories

import (
	"strings"
	"testing"
)

// Every story fails on what its browsers complain about: errors of scripts, rules
// that were refused, requests that failed. This one shows that they are heard.
func TestNoErrorsInConsole(t *testing.T) {
	s := play(t, noOptions)
	quiet := arrive(t, s, "somebody", phone).signIn("member")
	quiet.tap("[data-testid=tab-group]")
	quiet.tap("[data-testid=tab-more]")
	quiet.heartbeat()
	if heard := quiet.take(); len(heard) != 0 {
		t.Errorf("a quiet screen complains: %q", heard)
	}
	for _, c := range []struct{ name, script, says string }{
		{"an error that a script tells", `console.error('the house is on fire')`, "the house is on fire"},
		{"an error that nobody caught", `setTimeout(()=>{throw new Error('nobody caught me')})`, "nobody caught me"},
		{"a promise that nobody caught", `{Promise.reject(new Error('nor me'))}`, "nor me"},
		{"a script in the page", `try{const e=document.createElement('script');e.textContent='1';document.body.append(e)}catch{}`, "'TrustedScript' assignment"},
		{"a page made of a string", `try{document.body.innerHTML='<b>'}catch{}`, "'TrustedHTML' assignment"},
		{"a worker of somebody's", `try{new Worker('/api/openapi.json')}catch{}`, "'TrustedScriptURL' assignment"},
		{"a style in the page", `{const e=document.createElement('style');e.textContent='a{}';document.head.append(e)}`, "Content Security Policy"},
		{"a picture from elsewhere", `{new Image().src='http://localhost:1/x.png'}`, "Content Security Policy"},
		{"an answer that says no", `fetch('/api/v1/incidents/nothing')`, "answer 404"},
	} {
		quiet.do(c.script)
		heard := ""
		if err := s.Await(t.Context(), c.name+" is heard", func() (bool, string) {
			heard += strings.Join(quiet.take(), "\n")
			return strings.Contains(heard, c.says), heard
		}); err != nil {
			t.Error(err)
		}
	}
}
