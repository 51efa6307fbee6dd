package main

import (
	"math"
	"sync"
)

// shards is into how many parts a gradient is divided. It does not depend on the
// machine, so that sums come out the same everywhere.
const shards = 8

// logistic fits a logistic regression with an L2 penalty of 1/(2C) on the
// weights and none on the bias, which is the last of the result.
func logistic(m *matrix, use func(i int) bool, label func(i int) float64, size int, shift uint, c float64, iterations int) []float64 {
	type part struct {
		windows []int
		grad    []float64
		loss    float64
	}
	parts := make([]part, shards)
	total := 0.0
	for i := range m.len() {
		if use(i) {
			p := &parts[i%shards]
			p.windows = append(p.windows, i)
			total += m.weight[i]
		}
	}
	for i := range parts {
		parts[i].grad = make([]float64, size+1)
	}
	objective := func(x, grad []float64) float64 {
		var wg sync.WaitGroup
		for k := range parts {
			wg.Go(func() {
				p := &parts[k]
				clear(p.grad)
				p.loss = 0
				for _, i := range p.windows {
					b, v := m.bucket[m.start[i]:m.start[i+1]], m.value[m.start[i]:m.start[i+1]]
					z := x[size]
					for j, k := range b {
						z += float64(x[k>>shift] * float64(v[j]))
					}
					y := label(i)
					// log(1+exp(-z)) for y=1, log(1+exp(z)) for y=0.
					s := z
					if y > 0.5 {
						s = -z
					}
					p.loss += float64(m.weight[i] * softplus(s))
					g := float64(m.weight[i] * (1/(1+math.Exp(-z)) - y))
					for j, k := range b {
						p.grad[k>>shift] += float64(g * float64(v[j]))
					}
					p.grad[size] += g
				}
			})
		}
		wg.Wait()
		loss := 0.0
		copy(grad, x)
		grad[size] = 0
		for i := range size {
			loss += float64(x[i] * x[i])
			grad[i] = x[i] / c
		}
		loss /= 2 * c
		for k := range parts {
			loss += parts[k].loss
			for i, g := range parts[k].grad {
				grad[i] += g
			}
		}
		return loss
	}
	return minimise(objective, size+1, iterations)
}

func softplus(s float64) float64 {
	if s > 30 {
		return s
	}
	return math.Log1p(math.Exp(s))
}

// memory is how many steps L-BFGS remembers.
const memory = 8

// minimise finds a minimum by L-BFGS with a backtracking line search (Nocedal and
// Wright, Numerical Optimization, algorithm 7.5), from zero.
func minimise(objective func(x, grad []float64) float64, n, iterations int) []float64 {
	x, grad := make([]float64, n), make([]float64, n)
	nextX, nextGrad := make([]float64, n), make([]float64, n)
	dir := make([]float64, n)
	var ss, ys [][]float64
	var rhos []float64
	loss := objective(x, grad)
	start := loss
	for range iterations {
		copy(dir, grad)
		alpha := make([]float64, len(ss))
		for i := len(ss) - 1; i >= 0; i-- {
			alpha[i] = rhos[i] * dot(ss[i], dir)
			axpy(-alpha[i], ys[i], dir)
		}
		if k := len(ss) - 1; k >= 0 {
			scale := 1 / (rhos[k] * dot(ys[k], ys[k]))
			for i := range dir {
				dir[i] *= scale
			}
		}
		for i := range ss {
			beta := rhos[i] * dot(ys[i], dir)
			axpy(alpha[i]-beta, ss[i], dir)
		}
		slope := -dot(dir, grad)
		step := 1.0
		if len(ss) == 0 {
			step = min(1, 1/math.Sqrt(dot(grad, grad)))
		}
		var nextLoss float64
		for range 20 {
			for i := range x {
				nextX[i] = x[i] - float64(step*dir[i])
			}
			if nextLoss = objective(nextX, nextGrad); nextLoss <= loss+1e-4*step*slope {
				break
			}
			step /= 2
		}
		s, y := make([]float64, n), make([]float64, n)
		for i := range x {
			s[i], y[i] = nextX[i]-x[i], nextGrad[i]-grad[i]
		}
		if sy := dot(s, y); sy > 1e-12 {
			ss, ys, rhos = append(ss, s), append(ys, y), append(rhos, 1/sy)
			if len(ss) > memory {
				ss, ys, rhos = ss[1:], ys[1:], rhos[1:]
			}
		}
		done := loss-nextLoss < 1e-7*start
		x, nextX, grad, nextGrad, loss = nextX, x, nextGrad, grad, nextLoss
		if done {
			break
		}
	}
	return x
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += float64(a[i] * b[i])
	}
	return s
}

func axpy(a float64, x, y []float64) {
	for i := range x {
		y[i] += float64(a * x[i])
	}
}
