package main

import (
	"errors"
	"fmt"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
)

// said turns a fault into the sentence that its key stands for, in both
// languages: an operator may read either.
func said(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Internal {
		return err
	}
	vi, en := say.In(say.Vietnamese).Text(f.Key, f.Args), say.In(say.English).Text(f.Key, f.Args)
	return fmt.Errorf("%s / %s", vi, en)
}
