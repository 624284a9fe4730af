package function

// findBootstrap returns the program of a custom runtime.
func findBootstrap(inTask, inLayers string, exists func(string) bool) (string, error) {
	candidates := []string{inTask + "/bootstrap"}
	if inLayers != "" {
		candidates = append(candidates, inLayers+"/bootstrap")
	}
	for _, path := range candidates {
		if exists(path) {
			return path, nil
		}
	}
	return "", &entrypointError{message: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}
}

// entrypointError says why a function's program couldn't be started, which is the function's own fault.
type entrypointError struct {
	message string
	log     *logWriter // of the environment that never was
}

func (e *entrypointError) Error() string { return e.message }

const errorEntrypoint = "Runtime.InvalidEntrypoint"

// result is the failure of an invocation whose program couldn't be started.
func (e *entrypointError) result(spec *Spec, inv *Invocation) *Result {
	message := "RequestId: " + inv.RequestID + " Error: " + e.message
	a := failure(errorEntrypoint, message)
	r := &Result{
		RequestID: inv.RequestID, Payload: a.payload, FunctionError: "Unhandled", ErrorType: errorEntrypoint,
		MemoryMB: spec.MemoryMB, LogStream: e.log.source.Stream,
	}
	e.log.begin(inv.RequestID, spec.Version, inv.Tail)
	e.log.platformError(message + "\n" + errorEntrypoint)
	r.LogTail = e.log.finish(r, "error")
	return r
}
