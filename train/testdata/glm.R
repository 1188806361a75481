# SPDX-License-Identifier: Apache-2.0
# Coefficients and standard errors of an unpenalised logistic regression, by
# R's glm, for package train. Reads glm.csv (made by peers.py, seed there) and
# writes glm_fit.csv. Run from this folder: Rscript glm.R
# Made with R 4.2.2.
d <- read.csv("glm.csv")
m <- glm(y ~ ., data = d, family = binomial(), control = glm.control(epsilon = 1e-14, maxit = 100))
s <- summary(m)$coefficients
out <- data.frame(column = rownames(s), estimate = sprintf("%.12g", s[, 1]), se = sprintf("%.12g", s[, 2]))
write.csv(out, "glm_fit.csv", row.names = FALSE, quote = FALSE)
