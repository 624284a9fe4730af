// Package balance spreads requests over the targets of private integrations: the
// target groups behind the listeners of load balancers and the instances of Cloud
// Map services. It is a leaf and knows no AWS API: control/elbv2 and
// control/servicediscovery tell it what there is (Balancer.Apply), integrate asks it
// where a request goes (Listener, Service, Group.Pick).
//
// What requests read is a snapshot behind an atomic pointer. Health is checked in
// the background and published the same way; it outlives changes of configuration
// for every target that stays.
package balance
