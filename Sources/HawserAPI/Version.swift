/// The version that both programs print and the daemon reports.
package let hawserVersion = "0.1.0"
