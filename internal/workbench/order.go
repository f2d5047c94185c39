package workbench

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// ahead is how many results may wait for one that takes longer, for each job.
// It bounds the memory that waiting reports take.
const ahead = 4

// inOrder calls do for 0 to n-1, at most jobs at once, and each with what it
// returns, one after another and in order. It returns after all that it started
// has ended. Where each fails, the rest is cancelled.
func inOrder[T any](ctx context.Context, n, jobs int, do func(ctx context.Context, i int) T, each func(T) error) error {
	jobs = min(jobsOr(jobs), max(n, 1))
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan chan T, ahead*jobs)
	g.Go(func() error {
		defer close(queue)
		workers := make(chan struct{}, jobs)
		for i := range n {
			result := make(chan T, 1)
			select {
			case queue <- result:
			case <-ctx.Done():
				return ctx.Err()
			}
			workers <- struct{}{} // ctx ends each do
			g.Go(func() error {
				defer func() { <-workers }()
				result <- do(ctx, i)
				return nil
			})
		}
		return nil
	})
	g.Go(func() error {
		for result := range queue {
			value := <-result
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := each(value); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}
