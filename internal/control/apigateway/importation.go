package apigateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/openapi/rest"
	"gatehouse/internal/store"
)

// An importation writes into an API what a document has, inside a transaction
// that is given up when anything is refused.
type importation struct {
	service *Service
	tx      *store.Tx
	call    *awswire.Call
	apiID   string
	doc     *rest.API
	// overwrite removes what the document doesn't have.
	overwrite bool
	problems  []string
	// partIDs are the ids of the documentation parts, in the document's order.
	partIDs []string

	// What is there by name, and then what is to be there.
	authorizers map[string]*definition.RestAuthorizer
	validators  map[string]*definition.RequestValidator
	models      map[string]*definition.RestModel
	parts       map[string]*definition.DocumentationPart
	// resources are those of the API by path; refused paths have a problem.
	resources map[string]*definition.Resource
	refused   map[string]bool
	// ids are those taken by resources, authorizers, validators and parts.
	ids map[string]bool
}

func (s *Service) newImport(tx *store.Tx, c *awswire.Call, apiID string, doc *rest.API, overwrite bool) *importation {
	return &importation{
		service: s, tx: tx, call: c, apiID: apiID, doc: doc, overwrite: overwrite,
		authorizers: map[string]*definition.RestAuthorizer{}, validators: map[string]*definition.RequestValidator{},
		models: map[string]*definition.RestModel{}, parts: map[string]*definition.DocumentationPart{},
		resources: map[string]*definition.Resource{}, refused: map[string]bool{}, ids: map[string]bool{}, partIDs: []string{},
	}
}

// run does all of an import. With failOnWarnings there mustn't be any.
func (i *importation) run(failOnWarnings bool) error {
	i.doc.SetID(i.apiID)
	for _, step := range [...]func() error{
		i.load, i.putModels, i.putValidators, i.putAuthorizers, i.putGatewayResponses, i.putResources, i.putParts, i.problem,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return i.warned(failOnWarnings)
}

// warned refuses warnings where they are to be errors.
func (i *importation) warned(failOnWarnings bool) error {
	if !failOnWarnings || len(i.doc.Warnings) == 0 {
		return nil
	}
	// UNVERIFIED: the words.
	return badRequest("Warnings found during import:\n\t%s", strings.Join(i.doc.Warnings, "\n\t"))
}

// maxProblems is how many problems are told; the import ends there.
const maxProblems = 100

// problem is AWS's answer to all that was refused, nil when nothing was.
func (i *importation) problem() error {
	if len(i.problems) == 0 {
		return nil
	}
	return badRequest("Errors found during import:\n\t%s", strings.Join(i.problems, "\n\t"))
}

// refuse takes down what an operation on a part of the document would have
// refused. Other errors end the import.
func (i *importation) refuse(err error, what string, args ...any) error {
	var refusal *awswire.Error
	if !errors.As(err, &refusal) || refusal.Status >= http.StatusInternalServerError {
		return err
	}
	i.problems = append(i.problems, fmt.Sprintf(what, args...)+": "+refusal.Message)
	if len(i.problems) == maxProblems {
		return i.problem()
	}
	return nil
}

// newID makes an id that nothing of the API has.
func (i *importation) newID() (*string, error) {
	id, err := i.service.freeID(childIDLength, func(id string) (bool, error) { return i.ids[id], nil })
	if err != nil {
		return nil, err
	}
	i.ids[id] = true
	return &id, nil
}

// load reads what the API has.
func (i *importation) load() error {
	return errors.Join(
		byName(i, definition.Resources, i.resources, func(r *definition.Resource) (name, id string) { return *r.Path, *r.Id }),
		byName(i, definition.RestModels, i.models, func(m *definition.RestModel) (name, id string) { return *m.Name, *m.Id }),
		byName(i, definition.RequestValidators, i.validators, func(v *definition.RequestValidator) (name, id string) { return *v.Name, *v.Id }),
		byName(i, definition.RestAuthorizers, i.authorizers, func(a *definition.RestAuthorizer) (name, id string) { return *a.Name, *a.Id }),
		byName(i, definition.DocumentationParts, i.parts, partKey),
	)
}

// byName reads the documents of a kind that the API has.
func byName[T any](i *importation, kind store.Kind[T], to map[string]*T, key func(*T) (name, id string)) error {
	for entry, err := range kind.All(i.tx, scope(i.call), i.apiID) {
		if err != nil {
			return err
		}
		name, id := key(entry.Doc)
		to[name] = entry.Doc
		i.ids[id] = true
	}
	return nil
}

// deleteOthers removes the documents of a kind that aren't to be there; the
// last part of their ids is what kept knows.
func deleteOthers[T any](i *importation, kind store.Kind[T], kept map[string]bool) error {
	if !i.overwrite {
		return nil
	}
	for entry, err := range kind.All(i.tx, scope(i.call), i.apiID) {
		if err != nil {
			return err
		}
		if kept[entry.ID[len(entry.ID)-1]] {
			continue
		}
		if err := kind.Delete(i.tx, scope(i.call), entry.ID...); err != nil {
			return err
		}
	}
	return nil
}

// putModels stores the models. Those of a document refer to each other in any
// order, and may say what CreateModel doesn't take.
func (i *importation) putModels() error {
	kept := make(map[string]bool, len(i.doc.Models))
	for _, m := range i.doc.Models {
		model := &definition.RestModel{Model: m.Model}
		if err := i.service.checkSchema(value(m.Schema)); err != nil {
			if err := i.refuse(err, "Unable to create model for '%s'", *m.Name); err != nil {
				return err
			}
		}
		if old := i.models[*m.Name]; old != nil {
			model.Id = old.Id
		} else {
			var err error
			if model.Id, err = i.newID(); err != nil {
				return err
			}
		}
		i.models[*m.Name], kept[*m.Name] = model, true
		if err := definition.RestModels.Put(i.tx, scope(i.call), model, i.apiID, *m.Name); err != nil {
			return err
		}
	}
	total := 0
	for name, model := range i.models {
		if kept[name] || !i.overwrite {
			total += len(value(model.Schema))
		}
	}
	if total > maxModels {
		return badRequest(modelsTooLong, maxModels)
	}
	return deleteOthers(i, definition.RestModels, kept)
}

func (i *importation) putValidators() error {
	kept := map[string]bool{}
	for _, v := range i.doc.Validators {
		validator := &definition.RequestValidator{RequestValidator: *v}
		if err := checkValidator(validator); err != nil {
			if err := i.refuse(err, "Unable to create request validator '%s'", value(v.Name)); err != nil {
				return err
			}
			continue
		}
		if old := i.validators[*v.Name]; old != nil {
			validator.Id = old.Id
		} else {
			var err error
			if validator.Id, err = i.newID(); err != nil {
				return err
			}
		}
		i.validators[*v.Name], kept[*validator.Id] = validator, true
		if err := definition.RequestValidators.Put(i.tx, scope(i.call), validator, i.apiID, *validator.Id); err != nil {
			return err
		}
	}
	return deleteOthers(i, definition.RequestValidators, kept)
}

// putAuthorizers stores the authorizers. As recorded, one whose document names no
// time to live has none, unlike one that is created.
func (i *importation) putAuthorizers() error {
	kept := map[string]bool{}
	for _, a := range i.doc.Authorizers {
		authorizer := &definition.RestAuthorizer{Authorizer: *a}
		if err := checkAuthorizer(authorizer); err != nil {
			// UNVERIFIED: the words.
			if err := i.refuse(err, "Unable to create authorizer from security definition: '%s'", value(a.Name)); err != nil {
				return err
			}
			continue
		}
		if old := i.authorizers[*a.Name]; old != nil {
			authorizer.Id = old.Id
		} else {
			var err error
			if authorizer.Id, err = i.newID(); err != nil {
				return err
			}
		}
		i.authorizers[*a.Name], kept[*authorizer.Id] = authorizer, true
		if err := definition.RestAuthorizers.Put(i.tx, scope(i.call), authorizer, i.apiID, *authorizer.Id); err != nil {
			return err
		}
	}
	return deleteOthers(i, definition.RestAuthorizers, kept)
}

func (i *importation) putGatewayResponses() error {
	kept := map[string]bool{}
	for _, g := range i.doc.GatewayResponses {
		err := knownGatewayResponse(*g.ResponseType)
		var response *definition.GatewayResponse
		if err == nil {
			response, err = newGatewayResponse(*g.ResponseType, g.StatusCode, g.ResponseParameters, g.ResponseTemplates)
		}
		if err != nil {
			// UNVERIFIED: the words.
			if err := i.refuse(err, "Unable to put gateway response of type '%s'", *g.ResponseType); err != nil {
				return err
			}
			continue
		}
		kept[*g.ResponseType] = true
		if err := definition.GatewayResponses.Put(i.tx, scope(i.call), response, i.apiID, *g.ResponseType); err != nil {
			return err
		}
	}
	return deleteOthers(i, definition.GatewayResponses, kept)
}

// knownGatewayResponse refuses types that there aren't.
func knownGatewayResponse(kind string) error {
	if _, known := gatewayResponseStatus[kind]; !known {
		// UNVERIFIED: the words.
		return badRequest("Invalid gateway response type specified")
	}
	return nil
}

// putParts stores the documentation parts; a part takes the place of the one at
// its location. What can't be a part is left out with a warning.
// UNVERIFIED: that it is no error, and the words.
func (i *importation) putParts() error {
	kept := map[string]bool{}
	for n, p := range i.doc.Parts {
		id, err := i.putPart(p)
		var refusal *awswire.Error
		if errors.As(err, &refusal) {
			i.doc.Warnings = append(i.doc.Warnings, fmt.Sprintf("Unable to import documentation part %d: %s", n+1, refusal.Message))
			continue
		}
		if err != nil {
			return err
		}
		kept[id] = true
		i.partIDs = append(i.partIDs, id)
	}
	return deleteOthers(i, definition.DocumentationParts, kept)
}

func (i *importation) putPart(p *apigateway.DocumentationPart) (string, error) {
	location, err := completeLocation(p.Location)
	if err != nil {
		return "", err
	}
	if err := checkProperties(p.Properties); err != nil {
		return "", err
	}
	part := i.parts[locationText(location)]
	if part == nil {
		part = &definition.DocumentationPart{}
		if part.Id, err = i.newID(); err != nil {
			return "", err
		}
		i.parts[locationText(location)] = part
	}
	part.Location, part.Properties = location, p.Properties
	return *part.Id, definition.DocumentationParts.Put(i.tx, scope(i.call), part, i.apiID, *part.Id)
}
