// Package browser opens pages in a real Chromium without a window, by the
// DevTools Protocol over a pipe. The browser resolves no names and goes through
// a proxy that does not exist, so that a page cannot reach anything. It is used
// by tests only.
package browser
