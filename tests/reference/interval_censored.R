# Writes interval_censored.csv (made-up patients, scanned at jittered times, some with an event of known day) and R's
# estimates of it, interval_censored.json. R 4.2.2, npsurv 0.5-0. Run in this folder: Rscript interval_censored.R
library(npsurv)
set.seed(20251123)
visits <- c(3, 5.5, 8, 10.5, 13, 15.5, 20, 24.5, 29, 33.5, 38, 42.5, 47) * 30.4375
made <- function(n, jitter, exact) {
  rows <- lapply(seq_len(n), function(i) {
    scans <- sort(pmax(round(visits + rnorm(length(visits), 0, jitter)), 1))
    scans <- scans[runif(length(scans)) < 0.9 & scans <= rexp(1, 0.012) * 30.4375]
    event <- max(round(rexp(1, 0.02) * 30.4375), 1)
    before <- scans[scans < event]; after <- scans[scans >= event]
    left <- if (length(before)) max(before) else 0
    right <- if (length(after)) min(after) else Inf
    if (is.finite(right) && runif(1) < exact) left <- right <- event
    c(left, right)
  })
  do.call(rbind, rows)
}
sets <- list(grid = made(250, 0, 0), jittered = made(250, 10, 0), mixed = made(250, 10, 0.2),
             few = made(7, 10, 0), censored = cbind(c(100, 200, 300), Inf), exact = cbind(c(5, 5, 9), c(5, 5, 9)))
number <- function(x) paste0("[", paste(ifelse(is.finite(x), sprintf("%.17g", x), "null"), collapse = ", "), "]")
parts <- sapply(names(sets), function(name) {
  fit <- npsurv(sets[[name]], tol = 1e-14, maxit = 10000)
  kept <- fit$f$p > 0
  sprintf('"%s": {"loglik": %.17g, "left": %s, "right": %s, "mass": %s}', name, fit$ll,
          number(fit$f$left[kept]), number(fit$f$right[kept]), number(fit$f$p[kept]))
})
writeLines(paste0("{", paste(parts, collapse = ",\n"), "}"), "interval_censored.json")
rows <- do.call(rbind, lapply(names(sets), function(name)
  data.frame(set = name, left = sets[[name]][, 1], right = ifelse(is.finite(sets[[name]][, 2]), sets[[name]][, 2], NA))))
write.csv(rows, "interval_censored.csv", row.names = FALSE, na = "", quote = FALSE)
