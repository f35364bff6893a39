package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"

	"github.com/keng-vn/keng/internal/app"
)

// openapi prints the API as the code has it; the screens' types are made from it.
func openapi(ctx context.Context, e env, _ []string) (err error) {
	dir, err := os.MkdirTemp("", "keng-openapi-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	a, err := app.New(ctx, app.Options{Data: dir, Version: version})
	if err != nil {
		return err
	}
	text, err := a.Kit.Spec()
	if err != nil {
		return err
	}
	if err := a.Stop(ctx); err != nil {
		return err
	}
	var nice bytes.Buffer
	if err := json.Indent(&nice, text, "", " "); err != nil {
		return err
	}
	nice.WriteByte('\n')
	_, err = e.out.Write(nice.Bytes())
	return err
}
