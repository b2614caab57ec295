// Package rig is what a run needs around the devices: servers, PostgreSQL and NATS as whole processes that can be hurt, and a proxy
// that hurts what goes through it.
package rig
