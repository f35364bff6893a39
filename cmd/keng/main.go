// Command keng is the village gong: neighbours share one alarm, and those who
// serve them answer. One program, one folder of data.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// version is set by the linker: -X main.version=v0.1.0.
var version = "dev"

// command is one word after "keng".
type command struct {
	name  string
	about string
	run   func(ctx context.Context, e env, args []string) error
}

// env is the process as a command sees it, so that tests can be one.
type env struct {
	out, err io.Writer
	getenv   func(string) string
}

// errUsage is an error that was explained already; the exit code is 2.
var errUsage = errors.New("usage")

func commands() []command {
	return []command{
		{"serve", "run Keng: alarms, devices, screens", serve},
		{"demo", "run Keng with a village of simulated homes; never for real use", demo},
		{"cap", "cap import FILE: a warning in CAP 1.2 to the groups of its area", capFile},
		{"import", "import village FILE, import boundaries FILE, import people FILE.xlsx, import undo ID", importFile},
		{"export", "export people FILE.xlsx: the list of households of a commune", export},
		{"token", "token create, token list, token revoke: programs that use the API", token},
		{"invite", "make a one-use invitation for a home or an officer", invite},
		{"grant", "grant first: the first two chiefs of a new machine; grant list: who holds what", grant},
		{"sim", "simulate a village's devices over real MQTT", simulate},
		{"bench", "bench alarm: press to siren against peers; bench audit: the log of acts; bench policy: who may; bench push: many phones", bench},
		{"audit", "check the journal's chain and the invariants of the data; audit verify URL|DIR: the log of acts", auditData},
		{"witness", "sign other Kengs' logs of acts, for an independent body", beWitness},
		{"backup", "write all that Keng keeps into one file, while it runs", backupData},
		{"restore", "read a backup into an empty place, or check it", restore},
		{"openapi", "print the OpenAPI 3.1 document of the API", openapi},
		{"version", "print the version", printVersion},
	}
}

func main() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) // what people told us must not lie about as a core dump; it never fails
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, env{out: os.Stdout, err: os.Stderr, getenv: os.Getenv}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is main without the process: tests call it. It returns the exit code: 0
// done, 1 failed, 2 not understood.
func run(ctx context.Context, e env, args []string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage(e.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		e, err := e.withFiles()
		if err == nil {
			err = c.run(ctx, e, args[1:])
		}
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			return 2
		}
		_, _ = fmt.Fprintln(e.err, "keng:", err)
		return 1
	}
	_, _ = fmt.Fprintf(e.err, "keng: there is no command %q\n\n", args[0])
	usage(e.err)
	return 2
}

func usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("Kẻng: một nhà bấm, cả tổ cùng nghe.\n\nkeng COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-9s %s\n", c.name, c.about)
	}
	b.WriteString("\nkeng COMMAND -h lists its flags.\n")
	_, _ = io.WriteString(w, b.String())
}

// flags makes the flag set of a command; its errors go to e.err.
func flags(e env, name, args string) *flag.FlagSet {
	fs := flag.NewFlagSet("keng "+name, flag.ContinueOnError)
	fs.SetOutput(e.err)
	fs.Usage = func() {
		_, _ = fmt.Fprintf(e.err, "keng %s %s\n", name, args)
		fs.PrintDefaults()
	}
	return fs
}

// parse reads args, flags and words in any order, and returns the words.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage
		}
		if fs.NArg() == 0 {
			return words, noSecrets(fs)
		}
		words = append(words, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// or is the environment variable name, or def when it is not set.
func (e env) or(name, def string) string {
	if v := e.getenv(name); v != "" {
		return v
	}
	return def
}

func printVersion(_ context.Context, e env, _ []string) error {
	_, err := fmt.Fprintln(e.out, version)
	return err
}
