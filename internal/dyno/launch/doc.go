// Package launch is what the backends of dynos have in common: how a slug's
// processes are started, what they find in their environment, how their
// streams are carried, and that a slug is fetched once for all who wait for it.
//
// It runs nothing and knows neither of the backends.
package launch
