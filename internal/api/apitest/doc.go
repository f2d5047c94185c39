// Package apitest serves the API in tests, over a real store and small working
// fakes of what runs apps.
package apitest
