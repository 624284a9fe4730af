// Package servicediscovery holds the operations of Cloud Map: namespaces, services and
// the instances that are registered there, which private integrations of HTTP APIs
// lead to. Directory tells package balance of the instances. Names aren't answered by
// DNS.
package servicediscovery
