package apigateway

import (
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
)

// sdkTypes lists the SDKs that AWS generates of an API.
// UNVERIFIED: the descriptions, which are ours.
func sdkTypes() []apigateway.SdkType {
	property := func(name, friendly, description string, required bool, defaultValue *string) apigateway.SdkConfigurationProperty {
		return apigateway.SdkConfigurationProperty{Name: &name, FriendlyName: &friendly, Description: &description, Required: &required, DefaultValue: defaultValue}
	}
	prefix := property("classPrefix", "Prefix", "Begins the name of every class.", true, nil)
	kind := func(id, friendly, description string, properties ...apigateway.SdkConfigurationProperty) apigateway.SdkType {
		return apigateway.SdkType{Id: &id, FriendlyName: &friendly, Description: &description, ConfigurationProperties: properties}
	}
	return []apigateway.SdkType{
		kind("android", "Android", "Client for Android",
			property("groupId", "Group ID", "Maven group of the library.", true, nil),
			property("invokerPackage", "Invoker package", "Java package of the client.", true, nil),
			property("artifactId", "Artifact ID", "Maven artifact of the library.", true, nil),
			property("artifactVersion", "Artifact version", "Version of the library.", true, nil)),
		kind("java", "Java SDK", "Client for Java",
			property("service.name", "Service Name", "Name of the client's interface.", true, nil),
			property("java.package-name", "Java Package Name", "Java package of the client.", true, nil),
			property("java.build-system", "Java Build System", "Build system to write a project for: maven or gradle.", false, new("maven")),
			property("java.group-id", "Java Group Id", "Maven group of the library; the package name by default.", false, nil),
			property("java.artifact-id", "Java Artifact Id", "Maven artifact of the library; the service name by default.", false, nil),
			property("java.artifact-version", "Java Artifact Version", "Version of the library.", false, new("1.0-SNAPSHOT")),
			property("java.license-text", "Source Code License Text", "Text to put at the top of every source file.", false, nil)),
		kind("javascript", "JavaScript", "Client for browsers"),
		kind("objectivec", "iOS (Objective-C)", "Client for iOS in Objective-C", prefix),
		kind("ruby", "Ruby", "Client for Ruby",
			property("service.name", "Service Name", "Name of the client's class.", true, nil),
			property("ruby.gem-name", "Ruby Gem Name", "Name of the gem; made of the service name by default.", false, nil),
			property("ruby.gem-version", "Ruby Gem Version", "Version of the gem.", false, new("0.0.1"))),
		kind("swift", "iOS (Swift)", "Client for iOS in Swift", prefix),
	}
}

// GetSdkTypes lists the SDK types, all on one page.
func (s *Service) GetSdkTypes(*awswire.Call, *apigateway.GetSdkTypesRequest) (*apigateway.SdkTypes, error) {
	return &apigateway.SdkTypes{Items: sdkTypes()}, nil
}

// GetSdkType returns one SDK type.
func (s *Service) GetSdkType(_ *awswire.Call, in *apigateway.GetSdkTypeRequest) (*apigateway.SdkType, error) {
	for _, kind := range sdkTypes() {
		if *kind.Id == value(in.Id) {
			return &kind, nil
		}
	}
	// UNVERIFIED: the words.
	return nil, notFound("Invalid SDK type identifier specified: %s", value(in.Id))
}
