package awswire

// A Service is a model bound to its operations.
type Service struct {
	*Model
	// Handlers stand in the order of Model.Operations.
	Handlers []Bound
}

// A Bound is an operation bound to its implementation.
type Bound struct {
	newInput func() any
	// newOutput is for tests, which read answers back.
	newOutput func() any
	call      func(*Call, any) (any, error)
}

// Bind binds an operation.
func Bind[I, O any](f func(*Call, *I) (*O, error)) Bound {
	return Bound{
		newInput:  func() any { return new(I) },
		newOutput: func() any { return new(O) },
		call: func(c *Call, in any) (any, error) {
			out, err := f(c, in.(*I))
			if out == nil {
				return nil, err
			}
			return out, err
		},
	}
}

// BindInput binds an operation without output.
func BindInput[I any](f func(*Call, *I) error) Bound {
	return Bound{
		newInput: func() any { return new(I) },
		call:     func(c *Call, in any) (any, error) { return nil, f(c, in.(*I)) },
	}
}

// BindOutput binds an operation without input.
func BindOutput[O any](f func(*Call) (*O, error)) Bound {
	return Bound{
		newOutput: func() any { return new(O) },
		call: func(c *Call, _ any) (any, error) {
			out, err := f(c)
			if out == nil {
				return nil, err
			}
			return out, err
		},
	}
}

// BindNothing binds an operation with neither.
func BindNothing(f func(*Call) error) Bound {
	return Bound{call: func(c *Call, _ any) (any, error) { return nil, f(c) }}
}
