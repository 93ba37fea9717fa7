//! The shadow service over a real router and a store in memory: its functions, its MQTT side, and a store that fails.

#[cfg(test)]
mod blocking;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod house;
#[cfg(test)]
mod over_mqtt;
