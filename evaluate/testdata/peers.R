# SPDX-License-Identifier: Apache-2.0
# What R says of the cases of peers.json; writes peers_r.json.
# Run after peers.py:  Rscript peers.R
# Made with R 4.2.2, rms 6.5-0, jsonlite 1.8.4. The intercept and slope are glm's, because
# val.prob takes no weights; val.prob's own are stored beside them where it runs.
suppressMessages({library(jsonlite); library(rms)})
cases <- fromJSON("peers.json", simplifyDataFrame = FALSE)
tight <- glm.control(epsilon = 1e-15, maxit = 200)
out <- lapply(cases, function(k) {
  p <- pmin(pmax(k$p, 1e-15), 1 - 1e-15)
  z <- qlogis(p)
  w <- if (is.null(k$w)) rep(1, length(p)) else k$w
  two <- length(unique(k$y)) == 2
  # quasibinomial: the same estimates as binomial, without a complaint about fractional weights
  fit <- if (two && length(unique(z)) > 1) coef(glm(k$y ~ z, family = quasibinomial, weights = w, control = tight)) else c(NA, NA)
  large <- if (two) coef(glm(k$y ~ 1, offset = z, family = quasibinomial, weights = w, control = tight)) else NA
  row <- list(name = k$name, intercept = unname(fit[1]), slope = unname(fit[2]), in_the_large = unname(large))
  if (two && is.null(k$w) && length(unique(k$p)) > 10 && min(k$p) > 0 && max(k$p) < 1) {
    v <- val.prob(k$p, k$y, pl = FALSE)
    # not its C (ROC), which lrm computes on binned predictions
    row$val_prob <- list(intercept = v[["Intercept"]], slope = v[["Slope"]], brier = v[["Brier"]])
  }
  row
})
write(toJSON(out, auto_unbox = TRUE, digits = NA, na = "null"), "peers_r.json")
