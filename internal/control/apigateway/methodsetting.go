package apigateway

import (
	"maps"
	"reflect"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
)

// everyMethod is the key of the settings of the methods that have none of their
// own.
const everyMethod = "*/*"

// methodSettingRule is a rule for one setting of the methods of a resource, by
// what it is called in paths and in the shape.
func methodSettingRule(suffix, name string, valid func(*apigateway.MethodSetting) bool) patchRule[apigateway.Stage] {
	return patchRule[apigateway.Stage]{path: "/{resourcePath}/{httpMethod}/" + suffix, ops: opAdd | opReplace, set: func(stage *apigateway.Stage, o patchOp) error {
		key, ok := methodSettingKey(strings.TrimSuffix(o.Path, "/"+suffix))
		if !ok {
			return invalidStagePath(o.Path)
		}
		setting := methodSettingOf(stage, key)
		err := edit(reflect.ValueOf(&setting).Elem(), []string{name}, o)
		if err != nil || value(o.Value) == "" || valid != nil && !valid(&setting) {
			// UNVERIFIED: the words.
			return badRequest("Invalid value '%s' for method setting path: %s", value(o.Value), o.Path)
		}
		settings := maps.Clone(stage.MethodSettings)
		if settings == nil {
			settings = map[string]apigateway.MethodSetting{}
		}
		settings[key] = setting
		stage.MethodSettings = settings
		return nil
	}}
}

// methodSettingKey is the key of a method's settings: a resource's path, whose
// slashes stay as they are escaped, and the method.
func methodSettingKey(path string) (key string, ok bool) {
	key = strings.TrimPrefix(path, "/")
	resource, method, _ := strings.Cut(key, "/")
	// UNVERIFIED: that one of the two can't be a star without the other.
	return key, key == everyMethod || resource != "*" && isMethod(method)
}

// methodSettingOf is what a key's settings are before they are patched: those
// of every method when it has none of its own.
func methodSettingOf(stage *apigateway.Stage, key string) apigateway.MethodSetting {
	if setting, ok := stage.MethodSettings[key]; ok {
		return setting
	}
	if setting, ok := stage.MethodSettings[everyMethod]; ok {
		return setting
	}
	return apigateway.MethodSetting{
		MetricsEnabled:                         new(false),
		DataTraceEnabled:                       new(false),
		ThrottlingBurstLimit:                   new(int32(5000)),
		ThrottlingRateLimit:                    new(10_000.0),
		CachingEnabled:                         new(false),
		CacheTtlInSeconds:                      new(int32(300)),
		CacheDataEncrypted:                     new(false),
		RequireAuthorizationForCacheControl:    new(true),
		UnauthorizedCacheControlHeaderStrategy: new(apigateway.UnauthorizedCacheControlHeaderStrategySucceedWithResponseHeader),
	}
}

// removeMethodSettings takes away all settings of a key. Every other removal
// that a stage doesn't have ends here, too.
func removeMethodSettings(stage *apigateway.Stage, o patchOp) error {
	key := strings.TrimPrefix(o.Path, "/")
	if _, ok := stage.MethodSettings[key]; !ok {
		return noMethodSetting(o.Path)
	}
	settings := maps.Clone(stage.MethodSettings)
	delete(settings, key)
	stage.MethodSettings = nonEmptyMap(settings)
	return nil
}

func noMethodSetting(path string) error {
	return badRequest("Cannot remove method setting %s because there is no method setting for this method ", strings.TrimPrefix(path, "/"))
}

func validLogLevel(setting *apigateway.MethodSetting) bool {
	switch value(setting.LoggingLevel) {
	case "OFF", "ERROR", "INFO":
		return true
	}
	return false
}

// validThrottle lets -1 pass, which is no limit.
func validThrottle(setting *apigateway.MethodSetting) bool {
	return value(setting.ThrottlingBurstLimit) >= -1 && value(setting.ThrottlingRateLimit) >= -1
}

func validTTL(setting *apigateway.MethodSetting) bool {
	ttl := value(setting.CacheTtlInSeconds)
	return ttl >= 0 && ttl <= 3600
}

func validStrategy(setting *apigateway.MethodSetting) bool {
	switch value(setting.UnauthorizedCacheControlHeaderStrategy) {
	case apigateway.UnauthorizedCacheControlHeaderStrategyFailWith403,
		apigateway.UnauthorizedCacheControlHeaderStrategySucceedWithResponseHeader,
		apigateway.UnauthorizedCacheControlHeaderStrategySucceedWithoutResponseHeader:
		return true
	}
	return false
}
