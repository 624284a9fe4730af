package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
)

const (
	maxEnvironmentBytes = 4096
	maxLayers           = 5
	maxTags             = 50
	rolePattern         = `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`
	logGroupPattern     = `[\.\-_/#A-Za-z0-9]+`
	envKeyPattern       = `[a-zA-Z]([a-zA-Z0-9_])+`
)

// The runtimes that AWS still takes, in the order of its error text.
var currentRuntimes = [...]string{
	"nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x", "nodejs22.x", "java25",
	"python3.10", "python3.11", "java21", "ruby3.3", "ruby3.4", "ruby3.2", "python3.8", "python3.9", "java17",
	"nodejs16.x", "dotnet10", "dotnet8", "java11", "dotnet6", "nodejs18.x", "provided.al2", "java8.al2",
}

// The runtimes that AWS no longer takes.
var retiredRuntimes = [...]string{
	"nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
	"python2.7", "python3.6", "python3.7", "java8", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1",
	"dotnetcore3.1", "ruby2.5", "ruby2.7", "go1.x", "provided",
}

// The names that AWS keeps for itself. AWS_ENDPOINT_URL isn't one of them.
var reservedVariables = [...]string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER",
	"_X_AMZN_TRACE_ID",
}

// settings are the members that CreateFunction and UpdateFunctionConfiguration
// share; nil is absent.
type settings struct {
	Role, Handler, Runtime, Description, KMSKeyARN *string
	Timeout, MemorySize                            *int32
	Environment                                    *api.Environment
	VPC                                            *api.VpcConfig
	DeadLetter                                     *api.DeadLetterConfig
	Tracing                                        *api.TracingConfig
	Layers                                         []string
	Ephemeral                                      *api.EphemeralStorage
	SnapStart                                      *api.SnapStart
	Logging                                        *api.LoggingConfig
	Architectures                                  []string

	// What is refused when present.
	FileSystems      []api.FileSystemConfig
	Image            *api.ImageConfig
	CapacityProvider *api.CapacityProviderConfig
	Durable          *api.DurableConfig
	Tenancy          *api.TenancyConfig
}

// check finds what is wrong with members by themselves: first what breaks the
// model's constraints, all of it in one answer, then the rest one by one.
func (s *settings) check() error {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	between := func(v *int32, member string, low, high int32) {
		switch {
		case v == nil:
		case *v < low:
			add("Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", *v, member, low)
		case *v > high:
			add("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", *v, member, high)
		}
	}
	oneOf := func(v *string, member string, values ...string) {
		if v != nil && !slices.Contains(values, *v) {
			add("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]", *v, member, strings.Join(values, ", "))
		}
	}
	if s.Role != nil && !isRoleARN(*s.Role) {
		problems = append(problems, badPattern(*s.Role, "role", rolePattern))
	}
	if s.Handler != nil && len(*s.Handler) > 128 {
		add("Value '%s' at 'handler' failed to satisfy constraint: Member must have length less than or equal to 128", *s.Handler)
	}
	if s.Handler != nil && strings.ContainsAny(*s.Handler, " \t\r\n\v\f") {
		problems = append(problems, badPattern(*s.Handler, "handler", `[^\s]+`))
	}
	if s.Description != nil && len(*s.Description) > 256 {
		add("Value '%s' at 'description' failed to satisfy constraint: Member must have length less than or equal to 256", *s.Description)
	}
	between(s.Timeout, "timeout", 1, 900)
	between(s.MemorySize, "memorySize", 128, 10240)
	if s.Ephemeral != nil {
		between(s.Ephemeral.Size, "ephemeralStorage.size", 512, 10240)
	}
	if s.Tracing != nil {
		oneOf(s.Tracing.Mode, "tracingConfig.mode", "Active", "PassThrough")
	}
	if s.SnapStart != nil {
		oneOf(s.SnapStart.ApplyOn, "snapStart.applyOn", "PublishedVersions", "None")
	}
	if l := s.Logging; l != nil {
		oneOf(l.LogFormat, "loggingConfig.logFormat", "JSON", "Text")
		oneOf(l.ApplicationLogLevel, "loggingConfig.applicationLogLevel", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
		oneOf(l.SystemLogLevel, "loggingConfig.systemLogLevel", "DEBUG", "INFO", "WARN")
		if l.LogGroup != nil && !isLogGroup(*l.LogGroup) {
			problems = append(problems, badPattern(*l.LogGroup, "loggingConfig.logGroup", logGroupPattern))
		}
	}
	if n := len(s.Architectures); n > 1 {
		add("Value '[%s]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1", strings.Join(s.Architectures, ", "))
	} else if n == 1 && s.Architectures[0] != api.ArchitectureX8664 && s.Architectures[0] != api.ArchitectureArm64 {
		add("Value '[%s]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]", s.Architectures[0])
	}
	if s.Environment != nil {
		for _, name := range slices.Sorted(maps.Keys(s.Environment.Variables)) {
			if !isVariableName(name) && !slices.Contains(reservedVariables[:], name) {
				add("Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: %s]", envKeyPattern)
				break
			}
		}
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	if s.Runtime != nil {
		if err := checkRuntime(*s.Runtime); err != nil {
			return err
		}
	}
	if s.Environment != nil {
		if err := checkVariables(s.Environment.Variables); err != nil {
			return err
		}
	}
	return s.checkUnsupported()
}

// checkUnsupported refuses what would otherwise be taken and not be done.
func (s *settings) checkUnsupported() error {
	switch {
	case len(s.FileSystems) > 0:
		return badParameter("gatehouse has no file systems to mount yet; leave FileSystemConfigs out.")
	case s.Image != nil && (len(s.Image.Command) > 0 || len(s.Image.EntryPoint) > 0 || s.Image.WorkingDirectory != nil):
		return badParameter("ImageConfig needs PackageType Image, and gatehouse doesn't run container images yet.")
	case s.CapacityProvider != nil:
		return badParameter("gatehouse has no capacity providers yet; leave CapacityProviderConfig out.")
	case s.Durable != nil:
		return badParameter("gatehouse has no durable functions yet; leave DurableConfig out.")
	case s.Tenancy != nil:
		return badParameter("gatehouse has no tenant isolation yet; leave TenancyConfig out.")
	case s.Logging != nil && str(s.Logging.LogFormat) != api.LogFormatJson &&
		(s.Logging.ApplicationLogLevel != nil || s.Logging.SystemLogLevel != nil):
		return badParameter(`LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.`)
	}
	return nil
}

func checkRuntime(runtime string) error {
	if slices.Contains(retiredRuntimes[:], runtime) {
		return badParameter("The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.", runtime)
	}
	if !slices.Contains(currentRuntimes[:], runtime) {
		return badParameter("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", runtime, strings.Join(currentRuntimes[:], ", "))
	}
	for _, family := range [...]string{"nodejs", "python", "provided."} {
		if strings.HasPrefix(runtime, family) {
			return nil
		}
	}
	return badParameter("gatehouse runs nodejs, python and provided runtimes; it has no %s yet. A custom runtime in a provided.al2023 function works.", runtime)
}

func checkVariables(variables map[string]string) error {
	var reserved []string
	for _, name := range reservedVariables {
		if _, ok := variables[name]; ok {
			reserved = append(reserved, name)
		}
	}
	if len(reserved) > 0 {
		return badParameter("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	var measured bytes.Buffer
	enc := json.NewEncoder(&measured)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(variables); err != nil {
		return fmt.Errorf("measure environment: %w", err)
	}
	if size := measured.Len() - 1; size > maxEnvironmentBytes { // the encoder ends with a newline
		// AWS quotes the variables here; they may be secrets, and end up in logs.
		return badParameter("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %d bytes", size)
	}
	return nil
}

// apply writes the members that are present into cfg, which has its defaults
// already.
func (s *settings) apply(cfg *api.FunctionConfiguration) {
	set(&cfg.Role, s.Role)
	set(&cfg.Handler, s.Handler)
	set(&cfg.Runtime, s.Runtime)
	set(&cfg.Description, s.Description)
	set(&cfg.Timeout, s.Timeout)
	set(&cfg.MemorySize, s.MemorySize)
	if s.KMSKeyARN != nil {
		cfg.KMSKeyArn = present(*s.KMSKeyARN)
	}
	if s.Environment != nil {
		cfg.Environment = nil
		if len(s.Environment.Variables) > 0 {
			cfg.Environment = &api.EnvironmentResponse{Variables: s.Environment.Variables}
		}
	}
	if s.DeadLetter != nil {
		cfg.DeadLetterConfig = nil
		if arn := present(str(s.DeadLetter.TargetArn)); arn != nil {
			cfg.DeadLetterConfig = &api.DeadLetterConfig{TargetArn: arn}
		}
	}
	if s.Tracing != nil && s.Tracing.Mode != nil {
		cfg.TracingConfig = &api.TracingConfigResponse{Mode: s.Tracing.Mode}
	}
	if s.Ephemeral != nil && s.Ephemeral.Size != nil {
		cfg.EphemeralStorage = &api.EphemeralStorage{Size: s.Ephemeral.Size}
	}
	if s.Architectures != nil {
		cfg.Architectures = s.Architectures
	}
	if s.Logging != nil {
		applyLogging(cfg, s.Logging)
	}
	if s.SnapStart != nil && s.SnapStart.ApplyOn != nil {
		cfg.SnapStart = &api.SnapStartResponse{ApplyOn: s.SnapStart.ApplyOn, OptimizationStatus: new(api.SnapStartOptimizationStatusOff)}
	}
	s.applyVPC(cfg)
}

// checkSnapStart finds a runtime that AWS takes no snapshots of. Where it does,
// the setting is stored and every start is a full one.
func checkSnapStart(cfg *api.FunctionConfiguration) error {
	if str(cfg.SnapStart.ApplyOn) != api.SnapStartApplyOnPublishedVersions {
		return nil
	}
	switch runtime := str(cfg.Runtime); runtime {
	case "python3.12", "python3.13", "python3.14":
		return nil
	default:
		return badParameter("%s is not supported for SnapStart enabled functions.", runtime)
	}
}

// applyVPC keeps the network settings: the network is the host's here.
func (s *settings) applyVPC(cfg *api.FunctionConfiguration) {
	switch {
	case s.VPC == nil:
	case len(s.VPC.SubnetIds) == 0 && cfg.VpcConfig == nil:
		// Nothing was attached and nothing is.
	case len(s.VPC.SubnetIds) == 0:
		cfg.VpcConfig = &api.VpcConfigResponse{SubnetIds: []string{}, SecurityGroupIds: []string{}, VpcId: new(""), Ipv6AllowedForDualStack: new(false)}
	default:
		groups := s.VPC.SecurityGroupIds
		if groups == nil {
			groups = []string{}
		}
		cfg.VpcConfig = &api.VpcConfigResponse{
			SubnetIds: s.VPC.SubnetIds, SecurityGroupIds: groups,
			VpcId:                   new(""),
			Ipv6AllowedForDualStack: or(s.VPC.Ipv6AllowedForDualStack, false),
		}
	}
}

// applyLogging merges the logging members. JSON brings log levels with it, and
// Text has none.
func applyLogging(cfg *api.FunctionConfiguration, in *api.LoggingConfig) {
	l := *cfg.LoggingConfig
	set(&l.LogFormat, in.LogFormat)
	set(&l.LogGroup, in.LogGroup)
	if str(l.LogFormat) == api.LogFormatJson {
		set(&l.ApplicationLogLevel, in.ApplicationLogLevel)
		set(&l.SystemLogLevel, in.SystemLogLevel)
		l.ApplicationLogLevel = or(l.ApplicationLogLevel, "INFO")
		l.SystemLogLevel = or(l.SystemLogLevel, "INFO")
	} else {
		l.ApplicationLogLevel, l.SystemLogLevel = nil, nil
	}
	cfg.LoggingConfig = &l
}

// newConfiguration is a function with AWS's defaults.
func newConfiguration(t target) *api.FunctionConfiguration {
	return &api.FunctionConfiguration{
		FunctionName:     &t.name,
		FunctionArn:      new(t.qualified("")),
		Description:      new(""),
		Timeout:          new(int32(3)),
		MemorySize:       new(int32(128)),
		Version:          new(latest),
		PackageType:      new(api.PackageTypeZip),
		Architectures:    []string{api.ArchitectureX8664},
		EphemeralStorage: &api.EphemeralStorage{Size: new(int32(512))},
		TracingConfig:    &api.TracingConfigResponse{Mode: new(api.TracingModePassThrough)},
		SnapStart:        &api.SnapStartResponse{ApplyOn: new(api.SnapStartApplyOnNone), OptimizationStatus: new(api.SnapStartOptimizationStatusOff)},
		LoggingConfig:    &api.LoggingConfig{LogFormat: new(api.LogFormatText), LogGroup: new("/aws/lambda/" + t.name)},
		State:            new(api.StateActive),
		LastUpdateStatus: new(api.LastUpdateStatusSuccessful),
	}
}

// touch gives doc a new revision, and a new generation when what runs changed.
func (s *Service) touch(c *awswire.Call, doc *versionDoc) {
	doc.Configuration.RevisionId = new(s.newID())
	doc.Configuration.LastModified = new(lastModified(c))
	doc.Generation = s.newID()
}

// lastModified is the call's time in the form Lambda uses: milliseconds and a
// zone without a colon.
func lastModified(c *awswire.Call) string {
	return c.Time.UTC().Format("2006-01-02T15:04:05.000+0000")
}

func set[T any](dst **T, src *T) {
	if src != nil {
		*dst = src
	}
}

// present is nil for what AWS takes as a request to clear.
func present(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func isRoleARN(s string) bool {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok {
		return false
	}
	partition, rest, ok := strings.Cut(rest, ":")
	if !ok || partition != "" && !isPartition(partition) {
		return false
	}
	rest, ok = strings.CutPrefix(rest, "iam::")
	if !ok || len(rest) < 12 || !isAccount(rest[:12]) {
		return false
	}
	name, ok := strings.CutPrefix(rest[12:], ":role")
	for i := range len(name) {
		if c := name[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune("_+=,.@-/", rune(c)) {
			return false
		}
	}
	return ok && name != ""
}

func isLogGroup(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune("._-/#", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= 512
}

func isVariableName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && c != '_' && !isDigit(c) || i == 0 && !isLetter(c) {
			return false
		}
	}
	return len(s) > 1
}
