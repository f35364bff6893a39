package main

import (
	"context"
	"errors"
)

func demo(context.Context, env, []string) error     { return errors.New("later") }
func simulate(context.Context, env, []string) error { return errors.New("later") }
func bench(context.Context, env, []string) error    { return errors.New("later") }
