package awswire

// A Service is a model bound to its operations.
type Service struct {
	*Model
	// Handlers stand in the order of Model.Operations.
	Handlers []Handler
}

// A Handler calls one operation.
type Handler struct {
	newInput func() any
	call     func(*Call, any) (any, error)
}

// Bind makes the handler of an operation.
func Bind[I, O any](f func(*Call, *I) (*O, error)) Handler {
	return Handler{
		newInput: func() any { return new(I) },
		call: func(c *Call, in any) (any, error) {
			out, err := f(c, in.(*I))
			if out == nil {
				return nil, err
			}
			return out, err
		},
	}
}

// BindInput makes the handler of an operation without output.
func BindInput[I any](f func(*Call, *I) error) Handler {
	return Handler{
		newInput: func() any { return new(I) },
		call:     func(c *Call, in any) (any, error) { return nil, f(c, in.(*I)) },
	}
}

// BindOutput makes the handler of an operation without input.
func BindOutput[O any](f func(*Call) (*O, error)) Handler {
	return Handler{
		call: func(c *Call, _ any) (any, error) {
			out, err := f(c)
			if out == nil {
				return nil, err
			}
			return out, err
		},
	}
}

// BindNothing makes the handler of an operation with neither.
func BindNothing(f func(*Call) error) Handler {
	return Handler{call: func(c *Call, _ any) (any, error) { return nil, f(c) }}
}
