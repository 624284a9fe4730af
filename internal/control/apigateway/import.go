package apigateway

import (
	"slices"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/rest"
	"gatehouse/internal/store"
)

// The parameters of imports, by AWS's names.
const (
	basePathParameter      = "basepath"
	endpointTypesParameter = "endpointConfigurationTypes"
	ignoreParameter        = "ignore"
	ignoreDocumentation    = "documentation"
)

// ImportRestApi makes an API of a Swagger or OpenAPI document. It has no models
// but those of the document, and isn't deployed.
func (s *Service) ImportRestApi(c *awswire.Call, in *apigateway.ImportRestApiRequest) (*apigateway.RestApi, error) {
	doc, err := readDocument(c, in.Body, in.Parameters)
	if err != nil {
		return nil, err
	}
	api := &definition.RestAPI{RestApi: doc.RestApi}
	api.Tags, api.Policy, api.Warnings = nil, nil, nil
	setDefaults(c, api)
	if err := checkImported(nil, &api.RestApi); err != nil {
		return nil, err
	}
	if err := setTags(&api.Tags, doc.Tags); err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		if err := s.addAPI(tx, c, api, doc.Policy); err != nil {
			return err
		}
		return s.newImport(tx, c, *api.Id, doc, true).run(value(in.FailOnWarnings))
	})
	if err != nil {
		return nil, err
	}
	view := apiView(api)
	view.Warnings = doc.Warnings
	return view, nil
}

// PutRestApi makes an API what a document says, or merges that into it. What the
// document doesn't change keeps its ids, as does the root resource.
func (s *Service) PutRestApi(c *awswire.Call, in *apigateway.PutRestApiRequest) (*apigateway.RestApi, error) {
	// AWS looks at the document before it looks for the API.
	doc, err := readDocument(c, in.Body, in.Parameters)
	if err != nil {
		return nil, err
	}
	overwrite := value(in.Mode) == apigateway.PutModeOverwrite
	var api *definition.RestAPI
	err = s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.RestApiId)
		if api, err = getAPI(tx, c, id); err != nil {
			return err
		}
		old := api.RestApi
		if overwrite {
			if old.Policy != nil && doc.Policy == nil {
				// Who may not change the policy doesn't take it away by saying nothing.
				// UNVERIFIED: AWS documents the action, not that this needs it.
				if err := c.Require("apigateway:UpdateRestApiPolicy", arn.ARN{Partition: arn.Partition(c.Region), Service: "apigateway", Region: c.Region, Resource: "/restapis/" + id}.String()); err != nil {
					return err
				}
			}
			clearForImport(&api.RestApi)
		}
		takeOver(&api.RestApi, &doc.RestApi)
		if err := checkImported(&old, &api.RestApi); err != nil {
			return err
		}
		if err := setTags(&api.Tags, doc.Tags); err != nil {
			return err
		}
		if api.Tags == nil {
			// Recorded: AWS shows that there are none.
			api.Tags = map[string]string{}
		}
		if doc.Policy != nil {
			if api.Policy, err = storedPolicy(c, id, doc.Policy); err != nil {
				return err
			}
		}
		if err := definition.RestAPIs.Put(tx, scope(c), api, id); err != nil {
			return err
		}
		return s.newImport(tx, c, id, doc, overwrite).run(value(in.FailOnWarnings))
	})
	if err != nil {
		return nil, err
	}
	view := apiView(api)
	view.Warnings = doc.Warnings
	return view, nil
}

// clearForImport takes from an API what a document would have said.
// UNVERIFIED: which members an overwriting import leaves as they are.
func clearForImport(api *apigateway.RestApi) {
	api.Description, api.Version, api.Policy = nil, nil, nil
	api.BinaryMediaTypes, api.MinimumCompressionSize = nil, nil
	api.ApiKeySource = new(apigateway.ApiKeySourceTypeHeader)
}

// takeOver gives an API what a document says of it. Binary media types are
// added to those it has.
func takeOver(api, document *apigateway.RestApi) {
	for _, member := range [...]struct{ to, from **string }{
		{&api.Name, &document.Name},
		{&api.Description, &document.Description},
		{&api.Version, &document.Version},
		{&api.ApiKeySource, &document.ApiKeySource},
		{&api.SecurityPolicy, &document.SecurityPolicy},
		{&api.EndpointAccessMode, &document.EndpointAccessMode},
	} {
		if *member.from != nil {
			*member.to = *member.from
		}
	}
	for _, mediaType := range document.BinaryMediaTypes {
		if !slices.Contains(api.BinaryMediaTypes, mediaType) {
			api.BinaryMediaTypes = append(api.BinaryMediaTypes, mediaType)
		}
	}
	if document.MinimumCompressionSize != nil {
		api.MinimumCompressionSize = document.MinimumCompressionSize
	}
	if document.DisableExecuteApiEndpoint != nil {
		api.DisableExecuteApiEndpoint = document.DisableExecuteApiEndpoint
	}
	asked := document.EndpointConfiguration
	if asked == nil {
		return
	}
	endpoint := *api.EndpointConfiguration
	if asked.Types != nil && !slices.Equal(asked.Types, endpoint.Types) {
		endpoint = apigateway.EndpointConfiguration{Types: asked.Types}
	}
	if asked.IpAddressType != nil {
		endpoint.IpAddressType = asked.IpAddressType
	}
	if asked.VpcEndpointIds != nil {
		endpoint.VpcEndpointIds = asked.VpcEndpointIds
	}
	api.EndpointConfiguration = endpointOf(&endpoint)
}

// checkImported refuses what an API can't be, and values that in other
// operations the model would refuse. old is what it was, nil for a new one.
func checkImported(old, api *apigateway.RestApi) error {
	api.SecurityPolicy, api.EndpointAccessMode = nonEmpty(api.SecurityPolicy), nonEmpty(api.EndpointAccessMode)
	if err := checkKeySource(api, patchOp{Value: api.ApiKeySource}); err != nil {
		return err
	}
	for _, kind := range api.EndpointConfiguration.Types {
		if !isEndpointType(kind) {
			return badRequest(invalidEndpointType)
		}
	}
	if err := checkIPAddressType(api, patchOp{Value: api.EndpointConfiguration.IpAddressType}); err != nil {
		return err
	}
	return checkAPI(old, api)
}

// readDocument reads the document of an import.
func readDocument(c *awswire.Call, body []byte, parameters map[string]string) (*rest.API, error) {
	basePath := parameters[basePathParameter]
	switch basePath {
	case "", rest.BasePathIgnore, rest.BasePathPrepend, rest.BasePathSplit:
	default:
		// UNVERIFIED: the words.
		return nil, badRequest("Invalid value for basepath: %s. Must be one of [ignore, prepend, split]", basePath)
	}
	o := readOptions(c)
	o.BasePath, o.NoDocumentation = basePath, parameters[ignoreParameter] == ignoreDocumentation
	doc, err := rest.Read(string(body), o)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	if types := parameters[endpointTypesParameter]; types != "" {
		if doc.EndpointConfiguration == nil {
			doc.EndpointConfiguration = &apigateway.EndpointConfiguration{}
		}
		doc.EndpointConfiguration.Types = strings.Split(types, ",")
	}
	return doc, nil
}

// readOptions are those of every document that a call brings.
func readOptions(c *awswire.Call) rest.Options {
	return rest.Options{Partition: arn.Partition(c.Region), Region: c.Region, Account: c.Account, URLSuffix: urlSuffix(c.Region)}
}

// urlSuffix is the domain of AWS's services in a region.
func urlSuffix(region string) string {
	if arn.Partition(region) == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
