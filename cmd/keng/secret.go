package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// secrets are the environment variables that may hold one. Each may also come
// from a file, which NAME_FILE names: a service manager's credential.
func secrets() []string {
	return []string{"KENG_TOKEN", "KENG_DATABASE", "KENG_MQTT_BROKER", "KENG_GATEWAY_SECRET"}
}

// withFiles lets e's secrets come from files.
func (e env) withFiles() (env, error) {
	read := map[string]string{}
	for _, name := range secrets() {
		file := e.getenv(name + "_FILE")
		if file == "" {
			continue
		}
		if e.getenv(name) != "" {
			return e, fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
		}
		b, err := os.ReadFile(file) // #nosec G304 -- the operator names it
		if err != nil {
			return e, fmt.Errorf("%s_FILE: %w", name, err)
		}
		if read[name] = strings.TrimSpace(string(b)); read[name] == "" {
			return e, fmt.Errorf("%s_FILE: %s is empty", name, file)
		}
	}
	return e.with(read), nil
}

// noSecrets refuses a password on the command line, where whoever lists the
// processes reads it.
func noSecrets(fs *flag.FlagSet) (err error) {
	fs.Visit(func(f *flag.Flag) {
		if err != nil || !holdsPassword(f.Value.String()) {
			return
		}
		name := "KENG_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if !slices.Contains(secrets(), name) {
			name = "the environment"
		}
		err = said(&fault.Error{Op: "keng.parse", Kind: fault.Invalid, Key: "secret.on_command_line", Args: map[string]any{"flag": f.Name, "env": name}})
	})
	return err
}

// holdsPassword reports whether s is a URL, or PostgreSQL's "key=value" words,
// with a password in it.
func holdsPassword(s string) bool {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return true
		}
	} else if err != nil && strings.Contains(s, "://") && strings.Contains(s, "@") {
		return true // a password that would have needed quoting
	}
	if u, err := url.Parse(s); err == nil && u.Query().Get("password") != "" {
		return true
	}
	return strings.Contains(strings.ToLower(s), "password=")
}
