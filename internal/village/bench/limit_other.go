//go:build !unix

package bench

import "errors"

func raiseLimit() (uint64, error) { return 0, errors.New("the bench needs Linux") }
