package function

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// folders are where a function finds its things: AWS's paths when it is isolated, the host's when it isn't.
type folders struct {
	task    string
	runtime string
	layers  string // empty without layers
	modules string // empty without a folder of shared modules
	// authority is the gateway's own, bundle that with the host's; empty without one.
	authority, bundle string
	// interpreter is the folder of the runtime's program; empty for a custom runtime.
	interpreter string
	isolated    bool
}

// variables makes the environment of a function's process. Nothing of the gateway's own environment is in it.
func variables(spec *Spec, at folders, source *LogSource, credentials Credentials, endpoints map[string]string, runtimeAPI string) []string {
	v := map[string]string{
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
		"PATH":                            "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin",
		"LD_LIBRARY_PATH":                 at.task + ":" + at.task + "/lib",
		"LAMBDA_TASK_ROOT":                at.task,
		"LAMBDA_RUNTIME_DIR":              at.runtime,
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_FUNCTION_NAME":        spec.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     spec.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(spec.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       source.Group,
		"AWS_LAMBDA_LOG_STREAM_NAME":      source.Stream,
		"AWS_REGION":                      spec.Region,
		"AWS_DEFAULT_REGION":              spec.Region,
		"_HANDLER":                        spec.Handler,
	}
	if at.interpreter != "" {
		v["PATH"] = at.interpreter + ":" + v["PATH"]
	}
	if at.layers != "" {
		v["PATH"] += ":" + at.layers + "/bin"
		v["LD_LIBRARY_PATH"] += ":" + at.layers + "/lib"
	}
	trust(v, spec.Runtime, at)
	maps.Copy(v, endpoints)
	// What the user sets comes over these defaults and under what follows.
	for name, value := range spec.Environment {
		v[name] = value
	}
	if !strings.HasPrefix(spec.Runtime, "provided") {
		v["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + spec.Runtime
	}
	set := func(name, value string) {
		if value != "" {
			v[name] = value
		}
	}
	set("AWS_ACCESS_KEY_ID", credentials.AccessKeyID)
	set("AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey)
	set("AWS_SESSION_TOKEN", credentials.SessionToken)
	set("AWS_LAMBDA_RUNTIME_API", runtimeAPI)
	if spec.LogFormat == "JSON" {
		v["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		v["AWS_LAMBDA_LOG_LEVEL"] = "INFO"
		set("AWS_LAMBDA_LOG_LEVEL", spec.ApplicationLogLevel)
	}
	switch {
	case strings.HasPrefix(spec.Runtime, "nodejs"):
		var dirs []string
		if at.layers != "" {
			dirs = append(dirs, at.layers+"/nodejs/node_modules")
		}
		dirs = append(dirs, at.runtime+"/node_modules", at.task)
		if at.modules != "" {
			shared := []string{at.modules + "/node_modules", at.modules}
			dirs = append(dirs, shared...)
			if !at.isolated { // else they are where ES modules look
				v["_GATEHOUSE_MODULES"] = strings.Join(shared, ":")
			}
		}
		v["NODE_PATH"] = join(v["NODE_PATH"], dirs)
	case strings.HasPrefix(spec.Runtime, "python"):
		var dirs []string
		if at.layers != "" {
			dirs = append(dirs, at.layers+"/python")
		}
		if at.modules != "" {
			dirs = append(dirs, at.modules+"/python", at.modules)
		}
		v["PYTHONPATH"] = join(v["PYTHONPATH"], dirs)
		if !at.isolated {
			// The code's folder is not the function's to write to; where it is isolated it can't.
			v["PYTHONDONTWRITEBYTECODE"] = "1"
		}
		if v["PYTHONPATH"] == "" {
			delete(v, "PYTHONPATH")
		}
	}

	env := make([]string, 0, len(v))
	for name, value := range v {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

func join(first string, rest []string) string {
	if first != "" {
		rest = append([]string{first}, rest...)
	}
	return strings.Join(rest, ":")
}
